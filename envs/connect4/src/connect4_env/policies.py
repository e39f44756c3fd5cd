"""Players of either side: light, and without any knowledge of the server."""

from __future__ import annotations

from abc import ABC, abstractmethod
from random import Random

from .board import COLUMNS, Board, has_line
from .models import Connect4Observation

DEPTHS = range(1, 11)
"""How far `MinimaxPolicy` may look; each further ply takes two to three times as long, the tenth up to a second a move."""

CENTRE = COLUMNS // 2


class Policy(ABC):
    """Chooses a side's moves.

    Args:
        seed: decides the policy's own random choices. None: a fresh one.

    Attributes:
        name: what a table of results calls it.
    """

    name: str

    def __init__(self, seed: int | str | None = None) -> None:
        self.rng = Random(None if seed is None else str(seed))  # a string, because Random takes -1 and 1 for the same seed

    @abstractmethod
    def select_action(self, observation: Connect4Observation) -> int:
        """Return one of the observation's `legal_actions`, of which there is at least one."""


class RandomPolicy(Policy):
    """Any legal column, each as likely."""

    name = "Random"

    def select_action(self, observation: Connect4Observation) -> int:
        return self.rng.choice(observation.legal_actions)


class MinimaxPolicy(Policy):
    """Looks a number of plies ahead, one ply being one stone, and plays those without a mistake.

    It takes the soonest win that it can force within them, and puts off a loss that it cannot avoid for as long as it can.
    What lies beyond them counts nothing. Among columns of the same worth it takes the most central; the seed decides
    between two that are equally central.

    Args:
        seed: as for every policy.
        depth: plies to look ahead, 1 to 10. Default 4. 1 only sees its own winning moves, 2 the other side's threats too.

    Raises:
        ValueError: the depth is none of these.
    """

    def __init__(self, seed: int | str | None = None, depth: int = 4) -> None:
        super().__init__(seed)
        if type(depth) is not int or depth not in DEPTHS:
            raise ValueError(f"minimax looks {DEPTHS[0]} to {DEPTHS[-1]} plies ahead, not {depth!r:.100}")
        self.depth = depth
        self.name = f"Minimax {depth}"

    def select_action(self, observation: Connect4Observation) -> int:
        board = Board.seen(observation.board)
        columns = sorted(observation.legal_actions, key=lambda column: (abs(column - CENTRE), self.rng.random()))
        best, best_value = columns[0], -self.depth - 1
        for column in columns:
            after = board.after(column)
            if has_line(after.other):
                return column
            value = -_value(after, self.depth - 1, -self.depth, -best_value)
            if value > best_value:
                best, best_value = column, value
        return best


def _value(board: Board, depth: int, floor: int, ceiling: int) -> int:
    """Return what a position, not yet won, is worth to the side to move, looking `depth` plies ahead.

    A forced win counts 1 and the plies left unused, a forced loss the same below 0, all else 0. Exact between `floor`
    and `ceiling`; beyond them, a bound.
    """
    if depth == 0:
        return 0
    boards = [board.after(column) for column in board.open_columns()]
    if any(has_line(after.other) for after in boards):
        return depth
    if depth == 1 or not boards:
        return 0
    best = -depth
    for after in boards:
        best = max(best, -_value(after, depth - 1, -ceiling, -max(floor, best)))
        if best >= ceiling:
            break
    return best

"""One game in progress, as its seats see it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from random import Random
from typing import Any, TypedDict

import pyspiel

from ..models import SIMULTANEOUS
from .crowd import Crowd
from .games import Game
from .opponents import Opponent
from .words import one_line, plain

CHANCE = int(pyspiel.PlayerId.CHANCE)
TERMINAL = int(pyspiel.PlayerId.TERMINAL)
MEAN_FIELD = int(pyspiel.PlayerId.MEAN_FIELD)

PASS = 0
"""What OpenSpiel takes for a seat that has no legal action where all move at once."""


class Sight(TypedDict):
    """The fields of an observation that say what one seat sees."""

    info_state: list[float]
    observation_string: str
    legal_actions: list[int]
    legal_actions_mask: list[int]


class Match:
    """A game from its first move to its end; chance and the opponents move until it is the client's turn.

    Args:
        game: what is played.
        seat: the agent's.
        opponent: plays the other seats; None leaves them to the client.
        crowd: how the population of a mean-field game spreads; None in other games.
        rng: the episode's generator.

    Attributes:
        over: whether the game has ended.
        current_player: the agent's seat, or without an opponent the seat to move; -2 where all move at once; -4 at the end.
        opponent_last_action: the opponents' most recent move; None before it, and where the rules hide it.
    """

    def __init__(self, game: Game, seat: int, opponent: Opponent | None, crowd: Crowd | None, rng: Random) -> None:
        self.over = False
        self.current_player = seat
        self.opponent_last_action: int | None = None
        self._game = game
        self._seat = seat
        self._opponent = opponent
        self._crowd = crowd
        self._rng = rng
        self._paid = [0.0] * game.num_players
        self._state = game.new_initial_state(rng)
        self._advance()

    def legal_actions(self, seat: int) -> list[int]:
        """Return what a seat may do now, in rising order; nothing unless the client is to move for it."""
        if self.over or not self._game.num_actions or self.current_player not in (seat, SIMULTANEOUS):
            return []
        legal: list[int] = self._state.legal_actions(seat)
        return legal

    def play(self, action: int) -> None:
        """Make a legal move of the agent's seat, or without an opponent of the seat to move, and let the others move."""
        if self._state.is_simultaneous_node():
            self.play_together([action if seat == self._seat else self._reply(seat) for seat in range(self._game.num_players)])
        else:
            self._state.apply_action(action)
            self._advance()

    def play_together(self, actions: Sequence[int]) -> None:
        """Make one legal move a seat, all at once, and go on to the client's next turn."""
        self._tell_of(actions)
        self._state.apply_actions(actions)
        self._advance()

    def play_struct(self, struct: dict[str, Any]) -> None:
        """Make a move that has no number. Raises `ValueError` with the reason where the game does not take it."""
        try:
            action = self._game.spiel.ActionStruct(json.dumps(struct))
        except RuntimeError:
            raise ValueError(f"action_struct must be such as {self._game.spiel.action_struct_spec()[1]}") from None
        try:
            status = self._state.validate_action_struct(action)
            reason = "" if status.ok() else status.message()
        except LookupError:
            reason = "there is no such clue"
        if reason:
            raise ValueError(f"action {struct!s:.100} is not legal now: {one_line(reason)}")
        self._state.apply_action_struct(action)
        self._advance()

    def sight(self, seat: int) -> Sight:
        """Return what a seat sees."""
        legal = self.legal_actions(seat)
        mask = [0] * self._game.num_actions
        for action in legal:
            mask[action] = 1
        seen: list[float] = [] if self._game.tensor is None else getattr(self._state, self._game.tensor)(seat)
        return {
            "info_state": seen,
            "observation_string": self.text(seat) or "",
            "legal_actions": legal,
            "legal_actions_mask": mask,
        }

    def collect(self) -> list[float]:
        """Return what each seat was paid since the last call; the calls of an episode sum to the returns."""
        if not (self.over or self._game.pays_on_the_way):
            return [0.0] * self._game.num_players
        totals = [float(total) for total in self._state.returns()]
        rewards = [total - paid for total, paid in zip(totals, self._paid, strict=True)]
        self._paid = totals
        return rewards

    def text(self, seat: int) -> str | None:
        """Return the game in words as a seat sees it, or None where the game has no such view."""
        if self._game.text is not None:
            return plain(getattr(self._state, self._game.text)(seat))
        return None if self._game.hides_something else plain(str(self._state))

    def _advance(self) -> None:
        state = self._state
        while not self._stops_at(player := state.current_player()):
            if player == CHANCE:
                actions, probabilities = zip(*state.chance_outcomes(), strict=True)
                state.apply_action(self._rng.choices(actions, probabilities)[0])
            elif player == MEAN_FIELD:
                state.update_distribution(self._crowd.spread_over(state.distribution_support()) if self._crowd else [])
            elif player == SIMULTANEOUS:
                together = [self._reply(seat) for seat in range(self._game.num_players)]
                self._tell_of(together)
                state.apply_actions(together)
            else:
                action = self._reply(player)
                state.apply_action(action)
                if self._game.moves_are_public:
                    self.opponent_last_action = action

    def _stops_at(self, player: int) -> bool:
        if player == TERMINAL:
            self.over = True
            self.current_player = TERMINAL
            return True
        if player in (CHANCE, MEAN_FIELD):
            return False
        if self._opponent is None:
            self.current_player = 0 if self._game.num_players == 1 else player
            return True
        return player == self._seat or (player == SIMULTANEOUS and bool(self._state.legal_actions(self._seat)))

    def _reply(self, seat: int) -> int:
        if self._opponent is None or not self._state.legal_actions(seat):
            return PASS
        return self._opponent(self._state, seat, self._rng)

    def _tell_of(self, together: Sequence[int]) -> None:
        others = [action for seat, action in enumerate(together) if seat != self._seat]
        if self._opponent is not None and self._game.moves_are_public and others:
            self.opponent_last_action = others[-1]

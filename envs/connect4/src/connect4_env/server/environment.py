"""Connect Four behind `reset`, `step` and `state`."""

from __future__ import annotations

from uuid import uuid4

from openenv import Environment, NoEpisodeError

from .. import picture
from ..board import Board
from ..models import Connect4Action, Connect4Observation, Connect4State
from ..policies import Policy
from .options import Options


class Connect4Environment(Environment[Connect4Action, Connect4Observation, Connect4State]):
    """Connect Four on a board of 6 rows and 7 columns: both sides for the agent, or one against an opponent.

    Args:
        options: how games are played where a `reset` does not say otherwise; None takes environment variables and defaults.

    Raises:
        ValueError: an environment variable has a value that its option cannot have.
    """

    SUPPORTS_CONCURRENT_SESSIONS = True
    REWARD_RANGE = (-1.0, 1.0)
    REWARD_KIND = "delta"

    def __init__(self, options: Options | None = None) -> None:
        super().__init__()
        self._defaults = self._options = options or Options.from_environment()
        self._opponent: Policy | None = None
        self._board = Board()
        self._winner: int | None = None
        self._last_column: int | None = None
        self._episode_id: str | None = None
        self._step_count = 0

    def reset(
        self,
        seed: int | None = None,
        episode_id: str | None = None,
        *,
        opponent_policy: str | None = None,
        opponent_depth: int | None = None,
        agent_first: bool | None = None,
        invalid_move: str | None = None,
    ) -> Connect4Observation:
        """Clear the board, and let the opponent begin where the agent does not.

        What is chosen here holds for this episode; what is not is as the class was told.

        Args:
            seed: decides the opponent's random choices. None: a fresh one.
            episode_id: a name for the episode; None makes one up.
            opponent_policy: "none" (the agent plays both sides in turn), "random" or "minimax".
            opponent_depth: plies that minimax looks ahead, 1 to 10.
            agent_first: whether the agent begins; without an opponent it always does.
            invalid_move: what an invalid move brings: "error" refuses it, "lose" ends the game.

        Raises:
            ValueError: an option cannot have this value. The game so far goes on.
        """
        self._options = self._defaults.changed(
            opponent_policy=opponent_policy,
            opponent_depth=opponent_depth,
            agent_first=agent_first,
            invalid_move=invalid_move,
        )
        self._opponent = self._options.opponent(seed)
        self._board, self._winner, self._last_column = Board(), None, None
        self._episode_id = uuid4().hex if episode_id is None else episode_id
        self._step_count = 0
        self._let_opponent_move()
        return self._seen_by(self._viewer)

    def step(self, action: Connect4Action, timeout_s: float | None = None) -> Connect4Observation:
        """Drop the stone of the side whose turn it is, and let the opponent answer.

        The reward belongs to the side that made the move: 1.0 where it has won, -1.0 where it has lost, else 0.0.

        Raises:
            ValueError: the column is full or does not exist, and invalid moves are errors. The game stands as it stood.
            NoEpisodeError: there is no game to move in: `reset` was not called, or the game is over.
        """
        if self._episode_id is None:
            raise NoEpisodeError("no game has begun: call reset() before step()")
        if self._winner is not None:
            raise NoEpisodeError("the game is over: reset() starts the next one")
        player, legal = self._board.next_player, self._board.open_columns()
        if action.column in legal:
            self._drop(action.column)
            self._let_opponent_move()
        elif self._options.invalid_move == "lose":
            self._winner = -player
        else:
            raise ValueError(f"column {action.column!r:.50} is not legal now; legal are {legal}")
        self._step_count += 1
        return self._seen_by(self._viewer, reward=float(player * (self._winner or 0)))

    @property
    def state(self) -> Connect4State:
        """The board as the side that began sees it, whose turn it is, and how the game is played."""
        return Connect4State(
            episode_id=self._episode_id,
            step_count=self._step_count,
            board=self._board.rows(player=1),
            next_player=self._board.next_player,
            winner=self._winner,
            **self._options.model_dump(),
        )

    def render(self) -> dict[str, str]:
        """Return the board in text and as SVG: `{"text/plain": …, "image/svg+xml": …}`."""
        return {
            "text/plain": picture.text(self._board, self._winner),
            "image/svg+xml": picture.svg(self._board, self._winner),
        }

    @property
    def _agent(self) -> int:
        return 1 if self._options.agent_first else -1

    @property
    def _viewer(self) -> int:
        return self._board.next_player if self._opponent is None else self._agent

    def _let_opponent_move(self) -> None:
        player = self._board.next_player
        if self._opponent is not None and self._winner is None and player != self._agent:
            self._drop(self._opponent.select_action(self._seen_by(player)))

    def _drop(self, column: int) -> None:
        self._board = self._board.after(column)
        self._winner = self._board.winner
        self._last_column = column

    def _seen_by(self, player: int, reward: float | None = None) -> Connect4Observation:
        over = self._winner is not None
        return Connect4Observation(
            board=self._board.rows(player),
            legal_actions=[] if over else self._board.open_columns(),
            current_player=player,
            last_column=self._last_column,
            winner=self._winner,
            board_text=picture.text(self._board, self._winner),
            reward=reward,
            terminated=over,
        )

"""A game as the client's seat lives it: the others play between its turns."""

from __future__ import annotations

from typing import Any

from ..models import TextArenaMessage, TextArenaObservation
from ..policies.random_player import RandomPolicy
from .game import GAME, Game, GameBroke
from .setup import Setup

MAX_OPPONENT_TURNS = 1000
"""Turns of others in a row after which an episode is cut: a game may go on without a player that is out."""

MAX_REFUSALS = 10
"""Messages in a row that a game may refuse before the episode is cut: some games refuse for ever."""

TRIES = 60
"""Messages that an opponent thinks of, at most, to find one that the game would not refuse."""


class Match:
    """A game from its first turn to its end; where an opponent policy plays the others, they move between the agent's turns.

    Args:
        setup: what is played, and how.
        seed: fixes the game and the opponents.

    Attributes:
        seat: the agent's seat; None where the client plays every one.
        player: whose turn it is, or was when the game ended.
        cut: whether the episode was cut because the game did not go on: too many refusals, or turns of others, in a row.
        refused: whether the game refused the client's last message, as its rules have it.
        told: all that each player has heard, by seat.

    Raises:
        ValueError: this cannot be played.
    """

    def __init__(self, setup: Setup, seed: int) -> None:
        self._setup = setup
        self._seed = seed
        self._said: list[str] = []
        self._read: dict[int, int] = {}
        self._start()
        self._let_others_play()

    @property
    def over(self) -> bool:
        """Whether the game has ended, or the episode was cut."""
        return self.game.over or self.cut

    @property
    def finished(self) -> bool:
        """Whether the game has ended by its own rules, and has paid."""
        return self.game.over and not self.game.deserted

    def say(self, message: str) -> dict[str, Any]:
        """Say the client's message, let the others answer, and return what TextArena tells of the step.

        Raises:
            ValueError: the game raised on it. The match stands where it stood.
            RuntimeError: the game raised on whatever an opponent said. The match stands where it stood.
        """
        before = len(self._said)
        self._read = {seat: len(told) - len(self._inboxes[seat]) for seat, told in self.told.items()}
        self.player = self.game.player
        try:
            step_info = self._apply(message)
        except GameBroke as broken:
            self._go_back(before)
            raise ValueError(
                f"{self._setup.env_id} cannot read this message ({broken}); it is still player {self.player}'s turn"
            ) from None
        self.refused = self.game.refused
        try:
            self._let_others_play()
        except GameBroke as broken:
            self._go_back(before)
            raise RuntimeError(f"{self._setup.env_id} broke in an opponent's turn: {broken}") from None
        return step_info

    def collect(self) -> list[TextArenaMessage]:
        """Return what the player whose turn it is has heard since its last turn."""
        new, self._inboxes[self.player] = self._inboxes[self.player], []
        return new

    def reward(self, seat: int) -> float:
        """Return what the game paid a player: 0 before the end."""
        return self.game.rewards.get(seat, 0.0) if self.finished else 0.0

    def _start(self) -> None:
        setup = self._setup
        self.game = Game(setup.env_id, setup.num_players, setup.env_kwargs, self._seed)
        count = self.game.num_players
        self.seat = None if setup.opponent_policy == "none" and count > 1 else setup.agent_player
        if self.seat is not None and self.seat >= count:
            seats = "only seat 0" if count == 1 else f"seats 0 to {count - 1}"
            raise ValueError(f"agent_player must be a seat of {setup.env_id}, which has {seats}, not {self.seat}")
        self.told: dict[int, list[TextArenaMessage]] = {seat: [] for seat in range(count)}
        self._inboxes: dict[int, list[TextArenaMessage]] = {seat: [] for seat in range(count)}
        self._others = {seat for seat in range(count) if self.seat not in (None, seat)}
        self.player = self._next()
        self.cut = False
        self.refused = False
        self._refusals = 0
        self._listen()

    def _let_others_play(self) -> None:
        turns = 0
        while not self.over and self.game.player in self._others:
            self._play_other(self.game.player)
            turns += 1
            self.cut = self.cut or turns == MAX_OPPONENT_TURNS
        if self.game.over and self.game.reason:
            for seat in self.told:
                self._keep(seat, [TextArenaMessage(sender_id=GAME, content=self.game.reason, category="GAME_ADMIN")])
        self.player = self.player if self.seat is None and self.over else self._next()

    def _next(self) -> int:
        return self.game.player if self.seat is None else self.seat

    def _play_other(self, seat: int) -> None:
        policy = RandomPolicy(f"{self._seed}/{seat}/{len(self._said)}")
        seen = TextArenaObservation(
            prompt=self.game.prompts[seat],
            messages=self._inboxes[seat],
            current_player_id=seat,
            info={"env_id": self._setup.env_id},
        )
        self._inboxes[seat] = []
        for _ in range(TRIES):
            message = policy.select_action(seen)
            if not self.game.would_refuse(message):
                break
        self._apply(message)

    def _apply(self, message: str) -> dict[str, Any]:
        step_info = self.game.say(message)
        self._said.append(message)
        self._refusals = self._refusals + 1 if self.game.refused else 0
        self.cut = self.game.deserted or (self._refusals == MAX_REFUSALS and not self.game.over)
        self._listen()
        return step_info

    def _listen(self) -> None:
        if self.game.over:
            for seat in self.told:
                self._keep(seat, self.game.overhear(seat))
        else:
            self._keep(self.game.player, self.game.hear())

    def _keep(self, seat: int, heard: list[TextArenaMessage]) -> None:
        self.told[seat] += heard
        self._inboxes[seat] += heard

    def _go_back(self, length: int) -> None:
        """Begin again, and say what had been said: the seed makes of it the same game."""
        said, inboxes = self._said[:length], self._read
        self._said = []
        self._start()
        for message in said:
            self._apply(message)
        self.player = self._next()
        self._inboxes = {seat: self.told[seat][count:] for seat, count in inboxes.items()}

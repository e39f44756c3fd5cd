"""An environment that data sets are collected from: seeded, with wins and losses, and failures on request."""

from __future__ import annotations

import threading
from random import Random
from typing import Any, ClassVar

from pydantic import Field

from openenv import Action, Environment, Observation, State

LONG = "x" * 50_000
"""Makes a line longer than what is written at once."""


class Guess(Action):
    """Guess a number."""

    number: int


class Seen(Observation):
    """What may be guessed."""

    legal_actions: list[int] = Field(default_factory=list)
    filling: str = ""


class GuessState(State):
    """Which game is played."""

    game_name: str = "small"


class Guessing(Environment[Guess, Seen, GuessState]):
    """Two guesses; each earns 1 where it is the secret of its seed and costs 1 where it is not."""

    SUPPORTS_CONCURRENT_SESSIONS = True
    REWARD_KIND = "delta"
    failures: ClassVar[list[BaseException]] = []
    """What the next steps raise, first come first served."""
    resets: ClassVar[list[int | None]] = []
    turn: ClassVar[threading.Event] = threading.Event()
    """Steps wait for it."""

    def __init__(self) -> None:
        super().__init__()
        self._state = GuessState()

    def reset(self, seed: int | None = None, episode_id: str | None = None, *, game_name: str = "small") -> Seen:
        if game_name not in ("small", "large"):
            raise ValueError(f"there is no game {game_name}")
        self.resets.append(seed)
        self._state = GuessState(episode_id=episode_id, game_name=game_name)
        self._chance = Random(seed)
        return self._seen()

    def step(self, action: Guess, timeout_s: float | None = None, **options: Any) -> Seen:
        self.turn.wait(30)
        if self.failures:
            raise self.failures.pop(0)
        if action.number not in self._legal:
            raise ValueError(f"{action.number} is not among {self._legal}")
        self._state.step_count += 1
        won = action.number == self._legal[0] and self._chance.random() < 0.3
        seen = self._seen()
        return seen.model_copy(update={"reward": 1.0 if won else -1.0, "done": self._state.step_count == 2})

    def _seen(self) -> Seen:
        self._legal = self._chance.sample(range(9), 3)
        return Seen(legal_actions=self._legal, filling=LONG if self._state.game_name == "large" else "")

    @property
    def state(self) -> GuessState:
        return self._state


Guessing.turn.set()

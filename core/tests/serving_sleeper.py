"""An app whose environment sleeps where it is told to and says how many of its kind live, for tests of abandoned sessions."""

from __future__ import annotations

import threading
import time
from typing import ClassVar

from openenv import Action, Environment, Observation, State
from openenv.server import create_app


class Nap(Action):
    """Sleep so long, and answer with so many characters."""

    sleep_s: float = 0.0
    size: int = 0


class Waking(Observation):
    """How many naps there were."""

    naps: int = 0
    text: str = ""


class Household(State):
    """All environments of the process: those that live, and those that were closed in a thread that is not their own."""

    living: int = 0
    strays: int = 0


class Sleeper(Environment[Nap, Waking, Household]):
    """Naps."""

    SUPPORTS_CONCURRENT_SESSIONS = True
    turn: ClassVar[threading.Lock] = threading.Lock()
    living: ClassVar[int] = 0
    strays: ClassVar[int] = 0

    def __init__(self) -> None:
        super().__init__()
        self._thread = threading.get_ident()
        self._naps = 0
        with Sleeper.turn:
            Sleeper.living += 1

    def reset(self, seed: int | None = None, episode_id: str | None = None, *, sleep_s: float = 0.0) -> Waking:
        time.sleep(sleep_s)
        self._naps = 0
        return Waking()

    def step(self, action: Nap, timeout_s: float | None = None) -> Waking:
        time.sleep(action.sleep_s)
        self._naps += 1
        return Waking(naps=self._naps, text="z" * action.size, reward=0.0)

    @property
    def state(self) -> Household:
        return Household(step_count=self._naps, living=Sleeper.living, strays=Sleeper.strays)

    def close(self) -> None:
        with Sleeper.turn:
            Sleeper.living -= 1
            Sleeper.strays += threading.get_ident() != self._thread


app = create_app(Sleeper)

"""Environments for the tests of core: small, and with every behaviour on request."""

from __future__ import annotations

import asyncio
import itertools
import math
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

from pydantic import Field

from openenv import Action, EnvClient, Environment, Observation, State


class Count(Action):
    """Add to the total, or misbehave."""

    amount: int = 0
    sleep_s: float = 0.0
    fail: str | None = None


class Total(Observation):
    """What has been counted."""

    total: int = 0
    label: str = ""
    value: float = 0.0
    values: list[float] = Field(default_factory=list)
    thread: int = 0


class CountState(State):
    """The episode, and what reset was given."""

    total: int = 0
    seed: int | None = None
    start: int = 0


class Counter(Environment[Count, Total, CountState]):
    """Adds up; ends at 10 or above."""

    SUPPORTS_CONCURRENT_SESSIONS = True
    alive: ClassVar[set[int]] = set()
    """The numbers of those that are built and not closed, in the order of building."""
    numbers: ClassVar[Iterator[int]] = itertools.count()
    closed_by: ClassVar[dict[int, int]] = {}
    """The thread that closed, by the one that built."""

    def __init__(self) -> None:
        super().__init__()
        self._builder = threading.get_ident()
        Counter.closed_by.pop(self._builder, None)
        self._state = CountState()
        self._number = next(Counter.numbers)
        Counter.alive.add(self._number)

    @classmethod
    def count_from_now(cls) -> Callable[[], int]:
        """Return what tells how many are alive of those built from now on; what others still close does not count."""
        first = next(cls.numbers)
        return lambda: sum(number > first for number in tuple(cls.alive))

    def reset(self, seed: int | None = None, episode_id: str | None = None, *, start: int = 0) -> Total:
        self._state = CountState(episode_id=episode_id or f"seed-{seed}", seed=seed, total=start, start=start)
        return Total(total=start, label="start", thread=threading.get_ident())

    def step(self, action: Count, timeout_s: float | None = None) -> Total:
        if action.sleep_s:
            time.sleep(action.sleep_s)
        if action.amount < 0:
            raise ValueError("amount must not be negative")
        if action.fail == "wrong type":
            return "not an observation"  # type: ignore[return-value]
        if action.fail == "exit":
            raise SystemExit(3)
        if action.fail == "surrogate":
            return Total(label="\ud800")
        self._state.step_count += 1
        self._state.total += action.amount
        done = self._state.total >= 10
        odd = {"nan": math.nan, "infinity": math.inf}.get(action.fail or "", 0.5)
        return Total(
            total=self._state.total,
            label="counted",
            reward=action.amount,
            terminated=True if done else None,
            value=odd,
            values=[odd, 1.0],
            metadata={"timeout_s": timeout_s} if timeout_s is not None else {},
            thread=threading.get_ident(),
        )

    @property
    def state(self) -> CountState:
        return self._state

    def close(self) -> None:
        Counter.alive.discard(self._number)
        Counter.closed_by[self._builder] = threading.get_ident()


class CounterEnv(EnvClient[Count, Total, CountState]):
    """Plays `Counter`."""


class SoloCounter(Counter):
    """As `Counter`, one at a time."""

    SUPPORTS_CONCURRENT_SESSIONS = False


class AsyncCounter(Environment[Count, Total, CountState]):
    """Counts on the event loop."""

    SUPPORTS_CONCURRENT_SESSIONS = True

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.get_running_loop()
        self._state = CountState()

    async def reset(self, seed: int | None = None, episode_id: str | None = None) -> Total:  # type: ignore[override]
        await asyncio.sleep(0)
        self._state = CountState(episode_id=episode_id)
        return Total()

    async def step(self, action: Count, timeout_s: float | None = None) -> Total:  # type: ignore[override]
        assert asyncio.get_running_loop() is self.loop
        await asyncio.sleep(action.sleep_s)
        self._state.total += action.amount
        self._state.step_count += 1
        return Total(total=self._state.total, reward=1.0)

    @property
    def state(self) -> CountState:
        return self._state


def payload(**fields: Any) -> dict[str, Any]:
    """Return the `data` of a step of these environments."""
    return {"amount": 0, **fields}

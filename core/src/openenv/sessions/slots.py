"""The places of a server, and the queue of those who wait for one."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Protocol

from ..errors import CapacityReached, ShuttingDown


class SlotSource(Protocol):
    """Where the environments of a server get their places; `Slots` says what each of these does.

    Attributes:
        capacity: how many there are.
    """

    capacity: int

    @property
    def taken(self) -> int:
        """How many are in use."""

    @property
    def waiting(self) -> int:
        """How many wait for one."""

    async def take(self, count: int = 1) -> None:
        """Take so many, all or none. Raises `CapacityReached` or `ShuttingDown`."""

    def give_back(self, count: int = 1) -> None:
        """Free so many."""

    def close(self) -> None:
        """Hand out no more."""


class Slots:
    """At most `capacity` are taken at once; who comes when all are taken waits, first come first served.

    Args:
        capacity: how many there are.
        queue_timeout_s: how long somebody waits.
        hint: what to add when nobody could be served.
    """

    def __init__(self, capacity: int, queue_timeout_s: float, hint: str = "") -> None:
        self.hint = hint
        self.capacity = capacity
        self._free = capacity
        self.queue_timeout_s = queue_timeout_s
        self._waiting: deque[tuple[asyncio.Future[None], int]] = deque()
        self._closed = False

    @property
    def taken(self) -> int:
        """How many are in use."""
        return self.capacity - self._free

    @property
    def waiting(self) -> int:
        """How many wait for one."""
        return sum(count for waiter, count in self._waiting if not waiter.done())

    async def take(self, count: int = 1) -> None:
        """Take so many slots, all or none, and wait for them where need be.

        Raises:
            CapacityReached: they did not come free within `queue_timeout_s`, or there are not so many at all.
            ShuttingDown: the server is about to stop.
        """
        if self._closed:
            raise ShuttingDown("the server is shutting down")
        if count > self.capacity:
            raise self._refusal(f"{count} environments were asked for at once, and this server has {self.capacity}", None)
        if count <= self._free and not self._waiting:
            self._free -= count
            return
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        place = (waiter, count)
        self._waiting.append(place)
        timer = asyncio.get_running_loop().call_later(self.queue_timeout_s, self._too_long, waiter)
        try:
            await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled() and waiter.exception() is None:
                self.give_back(count)
            raise
        finally:
            timer.cancel()
            if place in self._waiting:
                self._waiting.remove(place)
                self._serve()

    def give_back(self, count: int = 1) -> None:
        """Free slots, for whoever has waited longest."""
        self._free += count
        self._serve()

    def close(self) -> None:
        """Hand out no more."""
        self._closed = True
        for waiter, _ in self._waiting:
            if not waiter.done():
                waiter.set_exception(ShuttingDown("the server is shutting down"))

    def _serve(self) -> None:
        """Hand out what is free in the order of the queue; who needs many is not overtaken by those who need few."""
        while self._waiting:
            waiter, count = self._waiting[0]
            if not waiter.done():
                if count > self._free:
                    return
                self._free -= count
                waiter.set_result(None)
            self._waiting.popleft()

    def _too_long(self, waiter: asyncio.Future[None]) -> None:
        if not waiter.done():
            told = (
                f"all {self.capacity} sessions of this server are in use, and none came free within {self.queue_timeout_s:g} s"
            )
            waiter.set_exception(self._refusal(f"{told}{self.hint}", max(1.0, self.queue_timeout_s)))

    def _refusal(self, told: str, retry_after_s: float | None) -> CapacityReached:
        again = {} if retry_after_s is None else {"retry_after_s": retry_after_s}
        return CapacityReached(told, **again, max_sessions=self.capacity, active_sessions=self.taken)

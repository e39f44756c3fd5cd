"""The places of a server, and the queue of those who wait for one."""

from __future__ import annotations

import asyncio
from collections import deque

from ..errors import CapacityReached, ShuttingDown


class Slots:
    """At most `capacity` are taken at once; who comes when all are taken waits, first come first served.

    Args:
        capacity: how many there are.
        queue_timeout_s: how long somebody waits.
        hint: what to add when nobody could be served.
    """

    def __init__(self, capacity: int, queue_timeout_s: float, hint: str = "") -> None:
        self._hint = hint
        self.capacity = capacity
        self._free = capacity
        self._queue_timeout_s = queue_timeout_s
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._closed = False

    @property
    def taken(self) -> int:
        """How many are in use."""
        return self.capacity - self._free

    @property
    def waiting(self) -> int:
        """How many wait for one."""
        return sum(not waiter.done() for waiter in self._waiting)

    async def take(self) -> None:
        """Take a slot, and wait for one where need be.

        Raises:
            CapacityReached: none came free within `queue_timeout_s`.
            ShuttingDown: the server is about to stop.
        """
        if self._closed:
            raise ShuttingDown("the server is shutting down")
        if self._free and not self._waiting:
            self._free -= 1
            return
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        timer = asyncio.get_running_loop().call_later(self._queue_timeout_s, self._too_long, waiter)
        try:
            await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled() and waiter.exception() is None:
                self.give_back()
            raise
        finally:
            timer.cancel()
            if waiter in self._waiting:
                self._waiting.remove(waiter)

    def give_back(self) -> None:
        """Free a slot, or hand it to whoever has waited longest."""
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(None)
                return
        self._free += 1

    def close(self) -> None:
        """Hand out no more."""
        self._closed = True
        for waiter in self._waiting:
            if not waiter.done():
                waiter.set_exception(ShuttingDown("the server is shutting down"))

    def _too_long(self, waiter: asyncio.Future[None]) -> None:
        if not waiter.done():
            waiter.set_exception(
                CapacityReached(
                    f"all {self.capacity} sessions of this server are in use, and none came free within "
                    f"{self._queue_timeout_s:g} s{self._hint}",
                    retry_after_s=max(1.0, self._queue_timeout_s),
                    max_sessions=self.capacity,
                    active_sessions=self.taken,
                )
            )

"""The slots of a server as one of its worker processes sees them: the parent holds them."""

from __future__ import annotations

import asyncio
from itertools import count as counted
from typing import Any

from ...errors import OpenEnvError, ShuttingDown
from .channel import Channel


class SharedSlots:
    """As `openenv.sessions.slots.Slots`, asked for over a channel; `taken` and `waiting` are those of all workers.

    Args:
        channel: leads to the parent, which says `given`, `refused` and `counts`.
        capacity: how many there are.
    """

    def __init__(self, channel: Channel, capacity: int) -> None:
        self._channel = channel
        self.capacity = capacity
        self.taken = 0
        self.waiting = 0
        self._asked: dict[int, asyncio.Future[None]] = {}
        self._numbers = counted(1)
        self._closed = False

    async def take(self, count: int = 1) -> None:
        """See `Slots.take`."""
        if self._closed:
            raise ShuttingDown("the server is shutting down")
        number = next(self._numbers)
        waiter = self._asked[number] = asyncio.get_running_loop().create_future()
        self._channel.say("take", number=number, count=count)
        try:
            await waiter
        except asyncio.CancelledError:
            if self._asked.pop(number, None) is not None:
                self._channel.say("cancel", number=number)
            elif not waiter.cancelled() and waiter.exception() is None:
                self.give_back(count)
            raise

    def give_back(self, count: int = 1) -> None:
        """See `Slots.give_back`."""
        self._channel.say("back", count=count)

    def close(self) -> None:
        """See `Slots.close`."""
        self._closed = True
        while self._asked:
            number, waiter = self._asked.popitem()
            self._channel.say("cancel", number=number)
            if not waiter.done():
                waiter.set_exception(ShuttingDown("the server is shutting down"))

    def given(self, number: int, count: int) -> None:
        """The parent gave what was asked for; what nobody waits for any more goes back."""
        waiter = self._asked.pop(number, None)
        if waiter is None or waiter.done():
            self.give_back(count)
        else:
            waiter.set_result(None)

    def refused(self, number: int, error: OpenEnvError) -> None:
        """The parent gave nothing."""
        waiter = self._asked.pop(number, None)
        if waiter is not None and not waiter.done():
            waiter.set_exception(error)

    def counts(self, taken: int, waiting: int, **_: Any) -> None:
        """How many are taken and awaited in all workers together."""
        self.taken, self.waiting = taken, waiting

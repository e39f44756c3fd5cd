"""How many may be inside at once."""

from __future__ import annotations

import asyncio
import threading
from collections import deque


class Turnstile:
    """An async context manager that so many may be inside of at once, counted over all event loops of the process.

    First come, first served.
    """

    def __init__(self, places: int) -> None:
        self._free = places
        self._turn = threading.Lock()
        self._waiting: deque[tuple[asyncio.AbstractEventLoop, asyncio.Future[None]]] = deque()

    async def __aenter__(self) -> None:
        loop = asyncio.get_running_loop()
        with self._turn:
            if self._free > 0:
                self._free -= 1
                return
            place = (loop, loop.create_future())
            self._waiting.append(place)
        try:
            await place[1]
        except BaseException:
            with self._turn:
                still_waiting = place in self._waiting
                if still_waiting:
                    self._waiting.remove(place)
            if not still_waiting:
                self._leave()
            raise

    async def __aexit__(self, *_: object) -> None:
        self._leave()

    def _leave(self) -> None:
        with self._turn:
            while self._waiting:
                loop, turn = self._waiting.popleft()
                try:
                    loop.call_soon_threadsafe(_admit, turn)
                except RuntimeError:  # its loop was closed meanwhile
                    continue
                return
            self._free += 1


def _admit(turn: asyncio.Future[None]) -> None:
    if not turn.done():
        turn.set_result(None)

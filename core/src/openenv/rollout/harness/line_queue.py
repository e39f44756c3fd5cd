"""Lines that a thread reads and coroutines wait for."""

from __future__ import annotations

import asyncio
import threading
from collections import deque

MOST_LINES = 10_000
"""How many lines wait to be read before who writes them has to wait."""


class LineQueue:
    """Passes lines from one thread to whichever event loop asks for them; a reader that is cancelled loses none."""

    def __init__(self) -> None:
        self._lines: deque[str] = deque()
        self._ended = False
        self._changed = threading.Condition()
        self._waiting: list[tuple[asyncio.AbstractEventLoop, asyncio.Future[None]]] = []

    def put(self, line: str) -> None:
        """Add a line, waiting while there are too many; called by the thread."""
        with self._changed:
            self._changed.wait_for(lambda: len(self._lines) < MOST_LINES or self._ended)
            self._lines.append(line)
            self._wake()

    def end(self) -> None:
        """Say that no further line comes. Those that are there can still be read."""
        with self._changed:
            self._ended = True
            self._wake()

    async def get(self, timeout_s: float | None = None) -> str | None:
        """Return the next line; None where there is none any more, or none came in time."""
        try:
            async with asyncio.timeout(timeout_s):
                return await self._next()
        except TimeoutError:
            return None

    async def _next(self) -> str | None:
        loop = asyncio.get_running_loop()
        while True:
            with self._changed:
                if self._lines:
                    line = self._lines.popleft()
                    self._changed.notify_all()
                    return line
                if self._ended:
                    return None
                waiter = loop.create_future()
                self._waiting.append((loop, waiter))
            await waiter

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, []
        for loop, waiter in waiting:
            if not loop.is_closed():
                loop.call_soon_threadsafe(_settle, waiter)
        self._changed.notify_all()


def _settle(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)

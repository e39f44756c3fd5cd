"""An event loop for what an environment's tools await."""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
import weakref
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class ToolLoop:
    """Runs coroutines on a loop in a thread of its own, started when first needed, so that no loop runs inside another.

    A tool that blocks holds up this loop alone, which is one environment's.
    """

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._turn = threading.Lock()

    def run(self, work: Coroutine[Any, Any, T], timeout_s: float | None = None) -> T:
        """Wait for a coroutine's result. Past `timeout_s` it is cancelled, and `TimeoutError` raised."""
        future = self.submit(work)
        try:
            return future.result(timeout_s)
        except concurrent.futures.TimeoutError:
            future.cancel()
            raise

    async def run_async(self, work: Coroutine[Any, Any, T], timeout_s: float | None = None) -> T:
        """As `run`, awaited on another loop; cancelled with its caller."""
        async with asyncio.timeout(timeout_s):
            return await asyncio.wrap_future(self.submit(work))

    def close(self) -> None:
        """Stop the loop; what runs on it is cancelled. Twice does no harm."""
        with self._turn:
            loop, self._loop = self._loop, None
            thread, self._thread = self._thread, None
        if loop is not None and thread is not None:
            _stop(loop)
            if thread is not threading.current_thread():
                thread.join(CLOSE_TIMEOUT_S)

    def submit(self, work: Coroutine[Any, Any, T]) -> concurrent.futures.Future[T]:
        """Begin a coroutine and return its result to come."""
        with self._turn:
            if self._loop is None:
                loop = self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(target=_live, args=(loop,), name="openenv-tools", daemon=True)
                self._thread.start()
                weakref.finalize(self, _stop, loop)
            return asyncio.run_coroutine_threadsafe(work, self._loop)


CLOSE_TIMEOUT_S = 1.0
"""How long a closing environment waits for its tools' loop, which ends by itself after that."""


def _live(loop: asyncio.AbstractEventLoop) -> None:
    try:
        loop.run_forever()
    finally:
        loop.run_until_complete(_end_all())
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


async def _end_all() -> None:
    running = asyncio.all_tasks() - {asyncio.current_task()}
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)


def _stop(loop: asyncio.AbstractEventLoop) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(loop.stop)

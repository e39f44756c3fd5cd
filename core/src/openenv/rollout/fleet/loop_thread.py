"""An event loop in a thread of its own."""

from __future__ import annotations

import asyncio
import concurrent.futures
import os
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

LAST_ROUNDS = 3
"""So many turns of the loop bring to an end what was asked for before it ended, so that nobody waits for ever."""


class LoopThread:
    """Makes calls for other threads, until what it runs has ended.

    A fork of the process has no such thread: there nothing is called, and no lock is waited for, which somebody may have held.

    Args:
        name: of the thread.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._process = os.getpid()
        self._posting = threading.RLock()
        self._ended = False
        self._loop: asyncio.AbstractEventLoop
        self._thread: threading.Thread

    def start(self, main: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run a coroutine function in the thread, which ends with it; return once the thread takes calls.

        Raises:
            OSError, RuntimeError: the system gives no more files, or no more threads.
        """
        begun: concurrent.futures.Future[None] = concurrent.futures.Future()
        self._thread = threading.Thread(target=self._begin, args=(main, begun), name=self._name, daemon=True)
        self._thread.start()
        begun.result()

    def _begin(self, main: Callable[[], Coroutine[Any, Any, None]], begun: concurrent.futures.Future[None]) -> None:
        try:
            asyncio.run(self._run(main, begun))
        except BaseException as error:
            if begun.done():
                raise
            begun.set_exception(error)

    async def _run(self, main: Callable[[], Coroutine[Any, Any, None]], begun: concurrent.futures.Future[None]) -> None:
        self._loop = asyncio.get_running_loop()
        begun.set_result(None)
        try:
            await main()
        finally:
            with self._posting:
                self._ended = True
            for _ in range(LAST_ROUNDS):
                await asyncio.sleep(0)

    @property
    def is_here(self) -> bool:
        """Whether this process is the one that has the thread."""
        return self._process == os.getpid()

    @property
    def is_alive(self) -> bool:
        """Whether it runs."""
        return self._thread.is_alive()

    def post(self, call: Callable[..., object], *arguments: object) -> bool:
        """Let a call be made in the thread; return False where it makes none any more."""
        if not self.is_here:
            return False
        with self._posting:
            if not self._ended:
                self._loop.call_soon_threadsafe(call, *arguments)
            return not self._ended

    def run(self, work: Callable[[], Coroutine[Any, Any, T]]) -> concurrent.futures.Future[T] | None:
        """Run a coroutine function in the thread, beside the one that it began with; None where it runs none any more."""
        if not self.is_here:
            return None
        with self._posting:
            return None if self._ended else asyncio.run_coroutine_threadsafe(work(), self._loop)

    def join(self) -> None:
        """Wait for its end."""
        self._thread.join()

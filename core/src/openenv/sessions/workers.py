"""Where an environment runs: in a thread of its own, or on the event loop. For processes see `processes.worker`."""

from __future__ import annotations

import asyncio
import inspect
import logging
import queue
import threading
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from ..wire.messages import DEFAULT_MAX_MESSAGE_BYTES, Request
from .calls import Calls, Encode
from .spec import EnvironmentSpec

logger = logging.getLogger("openenv.environment")


class Worker(Protocol):
    """Holds one environment and runs its calls in the order in which they came."""

    async def open(self) -> None:
        """Build the environment. Raises `FactoryError` where that fails; the worker is then of no further use."""

    def call(self, request: Request, encode: Encode) -> Awaitable[bytes]:
        """Run a request; returns and raises as `Calls.run`. Once begun in a thread, a call ends even if nobody awaits it."""

    def give_up(self) -> bool:
        """Nobody waits for the call in flight any more; return whether the worker can take a reset all the same.

        Where it cannot, the environment is stuck in that call, and is closed once it returns.
        """

    async def close(self) -> None:
        """Close the environment once the calls before have ended."""


def new_worker(spec: EnvironmentSpec, max_message_bytes: int = DEFAULT_MAX_MESSAGE_BYTES, *, inline: bool = False) -> Worker:
    """Return a worker for an environment: on the loop if it waits for I/O there or is to run `inline`, else in a thread."""
    kind = LoopWorker if spec.is_async or inline else ThreadWorker
    return kind(spec, max_message_bytes)


class LoopWorker:
    """Runs an environment on the event loop itself: one that waits for I/O there, or whose calls are short."""

    def __init__(self, spec: EnvironmentSpec, max_message_bytes: int = DEFAULT_MAX_MESSAGE_BYTES) -> None:
        self._calls = Calls(spec, max_message_bytes)
        self._turn = asyncio.Lock()
        self._running: asyncio.Task[Any] | None = None

    async def open(self) -> None:
        self._calls.open()

    async def call(self, request: Request, encode: Encode) -> bytes:
        async with self._turn:
            self._running = asyncio.current_task()
            try:
                return await self._calls.run_async(request, encode)
            finally:
                self._running = None

    def give_up(self) -> bool:
        if self._running is not None:
            self._running.cancel()
        return False

    async def close(self) -> None:
        async with self._turn:
            closing = self._calls.close()
            if inspect.isawaitable(closing):
                try:
                    await closing
                except Exception:
                    logger.exception("close() failed")


class ThreadWorker:
    """Runs a blocking environment in one thread, from its building to its closing."""

    def __init__(self, spec: EnvironmentSpec, max_message_bytes: int = DEFAULT_MAX_MESSAGE_BYTES) -> None:
        self._calls = Calls(spec, max_message_bytes)
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name=f"openenv-{spec.name}", daemon=True)
        self._thread.start()

    async def open(self) -> None:
        try:
            await self._do(self._calls.open)
        except Exception:
            self._jobs.put(None)
            raise

    def call(self, request: Request, encode: Encode) -> asyncio.Future[bytes]:
        return self._do(self._calls.run, request, encode)

    def give_up(self) -> bool:
        return False

    async def close(self) -> None:
        try:
            await self._do(self._calls.close)
        finally:
            self._jobs.put(None)

    def _do(self, function: Callable[..., Any], *arguments: Any) -> asyncio.Future[Any]:
        loop = asyncio.get_running_loop()
        job = _Job(loop, loop.create_future(), function, arguments)
        self._jobs.put(job)
        return job.future

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            job.run()


class _Job:
    """A call on its way to a thread, and its result on the way back: one wake-up each way."""

    __slots__ = ("arguments", "function", "future", "loop")

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        future: asyncio.Future[Any],
        function: Callable[..., Any],
        arguments: tuple[Any, ...],
    ) -> None:
        self.loop, self.future, self.function, self.arguments = loop, future, function, arguments

    def run(self) -> None:
        result, error = None, None
        try:
            result = self.function(*self.arguments)
        except BaseException as raised:
            error = raised
        try:
            self.loop.call_soon_threadsafe(self._settle, result, error)
        except RuntimeError:
            logger.debug("the loop that asked has ended; a result was dropped")

    def _settle(self, result: Any, error: BaseException | None) -> None:
        if self.future.done():
            return
        if error is None:
            self.future.set_result(result)
        else:
            self.future.set_exception(error)

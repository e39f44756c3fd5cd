"""Where an environment runs: in a thread of its own, or on the event loop. For processes see `processes.worker`."""

from __future__ import annotations

import asyncio
import inspect
import logging
import queue
import threading
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

from ..errors import CallCancelled, OpenEnvError
from ..wire.messages import Request
from .calls import Calls, Encode
from .crew import Runnable
from .spec import EnvironmentSpec

logger = logging.getLogger("openenv.environment")


Done = Callable[[bytes | None, BaseException | None], None]
"""Takes the outcome of a call: its encoded reply, or its error."""


class Worker(Protocol):
    """Holds one environment and runs its calls in the order in which they came."""

    async def open(self) -> None:
        """Build the environment. Raises `FactoryError` where that fails; the worker is then of no further use."""

    def start(self, request: Request, encode: Encode, done: Done) -> None:
        """Begin a request after those before it, and call `done` with what `Calls.run` returns or raises.

        `done` is called on the event loop, before this returns where the environment runs there and is over at once.
        """

    def give_up(self) -> bool:
        """Nobody waits for the call in flight any more; return whether the worker can take a reset all the same.

        Where it cannot, the environment is stuck in that call, and is closed once it returns.
        """

    async def close(self) -> None:
        """Close the environment once the calls before have ended."""


def new_worker(spec: EnvironmentSpec, calls: Runnable, *, inline: bool = False) -> Worker:
    """Return a worker for what it is to run: on the loop if it waits for I/O there or is to run `inline`, else in a thread."""
    if spec.is_async:
        assert isinstance(calls, Calls)
        return AsyncWorker(calls)
    return InlineWorker(calls) if inline else ThreadWorker(calls, spec.name)


def report(done: Done, call: asyncio.Future[bytes]) -> None:
    """Call `done` with the outcome of a task or future."""
    if call.cancelled():
        done(None, CallCancelled("the call was given up", started=True))
    elif (error := call.exception()) is not None:
        done(None, error)
    else:
        done(call.result(), None)


class InlineWorker:
    """Runs an environment on the event loop, where each call holds up every other session: for steps that are short."""

    def __init__(self, calls: Runnable) -> None:
        self._calls = calls

    async def open(self) -> None:
        self._calls.open()

    def start(self, request: Request, encode: Encode, done: Done) -> None:
        try:
            data = self._calls.run(request, encode)
        except OpenEnvError as error:
            done(None, error)
        else:
            done(data, None)

    def give_up(self) -> bool:
        return False

    async def close(self) -> None:
        self._calls.close()


class AsyncWorker:
    """Runs an environment that waits for I/O on the event loop."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._turn = asyncio.Lock()
        self._running: asyncio.Task[Any] | None = None

    async def open(self) -> None:
        self._calls.open()

    def start(self, request: Request, encode: Encode, done: Done) -> None:
        asyncio.ensure_future(self._call(request, encode)).add_done_callback(partial(report, done))

    async def _call(self, request: Request, encode: Encode) -> bytes:
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


_Job = tuple[asyncio.AbstractEventLoop, Callable[[Any, BaseException | None], None], Callable[..., Any], tuple[Any, ...]]


class ThreadWorker:
    """Runs a blocking environment in one thread, from its building to its closing."""

    def __init__(self, calls: Runnable, name: str) -> None:
        self._calls = calls
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name=f"openenv-{name}", daemon=True)
        self._thread.start()

    async def open(self) -> None:
        try:
            await self._do(self._calls.open)
        except Exception:
            self._jobs.put(None)
            raise

    def start(self, request: Request, encode: Encode, done: Done) -> None:
        self._jobs.put((asyncio.get_running_loop(), done, self._calls.run, (request, encode)))

    def give_up(self) -> bool:
        return False

    async def close(self) -> None:
        try:
            await self._do(self._calls.close)
        finally:
            self._jobs.put(None)

    def _do(self, function: Callable[..., Any], *arguments: Any) -> asyncio.Future[Any]:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        self._jobs.put((loop, partial(_fill, future), function, arguments))
        return future

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            loop, done, function, arguments = job
            result, error = None, None
            try:
                result = function(*arguments)
            except BaseException as raised:
                error = raised
            try:
                loop.call_soon_threadsafe(done, result, error)
            except RuntimeError:
                logger.debug("the loop that asked has ended; a result was dropped")
            del job, done, result, error


def _fill(future: asyncio.Future[Any], result: Any, error: BaseException | None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(result)
    else:
        future.set_exception(error)

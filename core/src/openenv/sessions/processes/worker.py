"""One session's environment in a process of its own."""

from __future__ import annotations

import asyncio
import logging
from functools import partial

from ...errors import EnvironmentCrashed, EnvironmentFailure, ExecutionError
from ...wire import messages
from ...wire.messages import Request
from ..calls import Encode
from ..workers import Done, report
from .pool import ProcessPool, kill_if_ready
from .process import Process

logger = logging.getLogger("openenv.environment")


class ProcessWorker:
    """A `Worker` whose environment lives in a process, which may end at any time without harm to anything else.

    Once the process has ended, every request but a reset raises `EnvironmentCrashed`; a reset gets a new process.

    Args:
        pool: where processes come from.
        close_timeout_s: how long the call in flight and `Environment.close()` may take when the worker is closed.
    """

    def __init__(self, pool: ProcessPool, close_timeout_s: float) -> None:
        self._pool = pool
        self._close_timeout_s = close_timeout_s
        self._process: Process | None = None
        self._taking: asyncio.Task[Process] | None = None
        self._turn = asyncio.Lock()
        self._queued = 0

    async def open(self) -> None:
        """See `Worker.open`. Cancelled, it leaves nothing behind. Raises `EnvironmentCrashed` where it was killed."""
        self._process = await self._take()

    def start(self, request: Request, encode: Encode, done: Done) -> None:
        """See `Worker.start`."""
        process = self._process
        if process is None or process.gone or self._queued:
            call: asyncio.Future[bytes] = asyncio.ensure_future(self.call(request, encode))
        else:
            call = process.call(request, encode)
        call.add_done_callback(partial(report, done))

    async def call(self, request: Request, encode: Encode) -> bytes:
        """Run a request; returns and raises as `Calls.run`.

        Raises:
            EnvironmentCrashed: the process ended, in this call or before it.
            FactoryError: a reset needed a new process, whose environment could not be built.
        """
        self._queued += 1
        try:
            async with self._turn:
                process = self._process
                if process is None:
                    raise ExecutionError("the environment is closed")
                if process.gone:
                    if request.type != messages.RESET:
                        raise process.crash()
                    process = self._process = await self._take()
                reply = process.call(request, encode)
        finally:
            self._queued -= 1
        return await reply

    def give_up(self) -> bool:
        """See `Worker.give_up`: end the process at once, whatever it does; a reset gets a new one."""
        self.kill()
        return True

    def kill(self) -> None:
        """End the process at once, whatever it does, its building included; the call in flight raises `EnvironmentCrashed`."""
        if self._process is not None:
            self._process.kill()
        if self._taking is not None:
            self._taking.cancel()

    async def close(self) -> None:
        """See `Worker.close`; kills the process where that takes longer than `close_timeout_s`."""
        if self._taking is not None:
            self._taking.cancel()
        async with self._turn:
            process, self._process = self._process, None
        if process is None or process.gone:
            return
        try:
            async with asyncio.timeout(self._close_timeout_s):
                await process.close()
                await process.ended
        except EnvironmentFailure as error:
            logger.warning("close() failed: %s", error)
        except TimeoutError:
            logger.warning("a process did not close its environment within %g s and was killed", self._close_timeout_s)
        finally:
            process.kill()

    async def _take(self) -> Process:
        self._taking = taking = asyncio.ensure_future(self._pool.take())
        try:
            await asyncio.wait([taking])
        except asyncio.CancelledError:
            taking.cancel()
            kill_if_ready(taking)
            raise
        finally:
            self._taking = None
        if taking.cancelled():
            message = "the process was killed by its server before its environment was built"
            raise EnvironmentCrashed(message, exit_code=None, signal=None, stderr=[])
        return taking.result()

"""Processes forked from one that has the environment's module loaded."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import itertools
import os
import socket
from typing import Self

from ...errors import FactoryError
from . import frames
from .fork_server import ENDED, FAILED, FORK, KILL, ORDER, READY, REPORT
from .handover import Handover
from .interpreter import Interpreter
from .output import Output
from .process import LAST_WORDS_S, Process
from .spawns import join

RETRY_KILL_S = 0.05
END_WITHIN_S = 5.0
"""A fork server that has not ended so long after it was told to is killed."""


class Forks:
    """Has a fork server start processes; it is started when first needed, and again where it has died.

    Args:
        handover: the environment and its terms.
    """

    def __init__(self, handover: Handover) -> None:
        self._handover = handover
        self._packed = handover.pack()
        self._server: asyncio.Task[_ForkServer] | None = None
        self._turn = asyncio.Lock()

    async def start(self) -> Process:
        """Return a process that has begun to build its environment.

        Raises:
            FactoryError: the environment's module cannot be imported in another process.
            OSError: the system has no room for another process.
        """
        server = await asyncio.shield(self._started())
        async with self._turn:
            return await server.fork()

    async def close(self) -> None:
        """Kill every process, and wait until they and the fork server are gone."""
        if self._server is None:
            return
        self._server.cancel()
        await asyncio.wait([self._server])
        if not self._server.cancelled() and self._server.exception() is None:
            await self._server.result().close()

    def _started(self) -> asyncio.Task[_ForkServer]:
        """The fork server, which those who want a process start together; it starts even if they give up."""
        server = self._server
        if server is None or (server.done() and (server.cancelled() or server.exception() or server.result().lost)):
            server = self._server = asyncio.ensure_future(_ForkServer.start(self._handover, self._packed))
        return server


class _ForkServer:
    """A running fork server."""

    def __init__(self, handover: Handover, control: socket.socket) -> None:
        self._loop = loop = asyncio.get_running_loop()
        self._handover = handover
        self._control = control
        self._output = Output(f"{handover.spec.name} (fork server)")
        self._interpreter: Interpreter
        self._over: asyncio.Future[None] = loop.create_future()
        self._ready: asyncio.Future[None] = loop.create_future()
        self._forked: dict[int, asyncio.Future[None]] = {}
        self._processes: dict[int, Process] = {}
        self._numbers = itertools.count(1)
        self._read = b""
        self._closing = False
        self.lost = False

    @classmethod
    async def start(cls, handover: Handover, packed: bytes) -> Self:
        """Return a fork server that has imported what it needs; raises as `Forks.start`."""
        control, theirs = socket.socketpair()
        control.setblocking(False)
        server = cls(handover, control)
        try:
            server._interpreter = await Interpreter.start("fork-server", theirs, server._output, server._exited)
        except BaseException:
            control.close()
            raise
        finally:
            theirs.close()
        server._loop.add_reader(control, server._take_reports)
        try:
            with contextlib.suppress(OSError):  # it ended early, and `_ready` says why
                await server._loop.sock_sendall(control, frames.frame(frames.HANDOVER, packed))
            await server._ready
        except BaseException:
            await server.close()
            raise
        return server

    async def fork(self) -> Process:
        """Return a fork, connected. Raises `OSError` where the system has no room for another process."""
        number = next(self._numbers)
        output = Output(self._handover.spec.name)
        process = Process(self._handover, output, functools.partial(self._kill, number))
        read_end, write_end = os.pipe()
        try:
            ours, theirs = socket.socketpair()
        except OSError:
            os.close(read_end)
            os.close(write_end)
            raise
        try:
            await join(process, ours)
            await self._loop.connect_read_pipe(lambda: output, os.fdopen(read_end, "rb", buffering=0))
            self._processes[number] = process
            self._forked[number] = self._loop.create_future()
            socket.send_fds(self._control, [ORDER.pack(FORK, number)], [theirs.fileno(), write_end])
            await self._forked[number]
        except OSError:
            self._processes.pop(number, None)
            process.exited(None)
            raise
        except BaseException:
            process.kill()
            raise
        finally:
            self._forked.pop(number, None)
            theirs.close()
            os.close(write_end)
        return process

    async def close(self) -> None:
        """Kill the processes and the server, and wait for their ends."""
        processes = list(self._processes.values())
        for process in processes:
            process.kill()
        self._closing = True
        if self._ready.done() and not self.lost:
            self._control.shutdown(socket.SHUT_WR)
            await asyncio.wait([self._over], timeout=END_WITHIN_S)
        self._lose()
        await asyncio.wait([self._over, *(process.ended for process in processes)])

    def _kill(self, number: int) -> None:
        if self.lost or self._closing or number not in self._processes:
            return
        try:
            self._control.send(ORDER.pack(KILL, number))
        except BlockingIOError:
            self._loop.call_later(RETRY_KILL_S, self._kill, number)
        except OSError:
            pass  # the fork server has ended, which `_take_reports` will see

    def _take_reports(self) -> None:
        try:
            data = self._control.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._lose()
            return
        self._read += data
        while len(self._read) >= REPORT.size:
            kind, number, value = REPORT.unpack_from(self._read)
            self._read = self._read[REPORT.size :]
            self._take_report(kind, number, value)

    def _take_report(self, kind: bytes, number: int, value: int) -> None:
        if kind == ENDED:
            process = self._processes.pop(number, None)
            if process is not None:
                process.exited(value)
            return
        waiting = self._ready if kind == READY else self._forked.get(number)
        if waiting is None or waiting.done():
            return
        if kind == FAILED:
            waiting.set_exception(OSError(value, os.strerror(value)))
        else:
            waiting.set_result(None)

    def _lose(self) -> None:
        """Give the server up; what it has forked ends with it."""
        if not self.lost:
            self.lost = True
            self._loop.remove_reader(self._control)
            self._control.close()
            self._interpreter.kill()

    def _exited(self, exit_code: int) -> None:
        self._lose()
        self._output.ended.add_done_callback(lambda _: self._end())
        self._loop.call_later(LAST_WORDS_S, self._end)

    def _end(self) -> None:
        if self._over.done():
            return
        self._over.set_result(None)
        self._interpreter.close()
        if not self._ready.done():
            message = f"{self._handover.spec.name} cannot be imported in a process of its own: {self._output.last}"
            self._ready.set_exception(FactoryError(message, stderr=self._output.lines))
            self._ready.exception()
        for waiting in self._forked.values():
            if not waiting.done():
                waiting.set_exception(OSError("the process that forks has ended"))
        for process in self._processes.values():
            process.exited(None)

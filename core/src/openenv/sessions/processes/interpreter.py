"""A fresh Python interpreter that runs a part of this package."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from typing import Any, Self, cast

from .output import Output

PACKAGE = __name__.rpartition(".")[0]


class Interpreter(asyncio.SubprocessProtocol):
    """A process that ends when this one does, however that ends: its standard input is a pipe from here.

    It leads a session and a process group of its own; what it leaves of the group is killed after it.

    Args:
        output: its standard error.
        exited: is told its exit code, or the number of its signal with a minus.
    """

    def __init__(self, output: Output, exited: Callable[[int], None]) -> None:
        self._output = output
        self._exited = exited
        self._transport: asyncio.SubprocessTransport
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @classmethod
    async def start(cls, role: str, given: socket.socket, output: Output, exited: Callable[[int], None]) -> Self:
        """Return an interpreter that runs a role of this package, with a socket that it is given.

        Raises:
            OSError: the system has no room for another process.
        """
        command = [sys.executable, "-P", "-m", PACKAGE, role, str(given.fileno())]
        own: dict[str, Any] = {}
        if sys.platform != "win32":
            own = {"pass_fds": (given.fileno(),), "start_new_session": True}
        transport, interpreter = await asyncio.get_running_loop().subprocess_exec(
            lambda: cls(output, exited), *command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, **own
        )
        if sys.platform == "win32":
            shared = given.share(transport.get_pid())
            transport.get_pipe_transport(0).write(len(shared).to_bytes(4, "little") + shared)
        return interpreter

    def kill(self) -> None:
        """End the process and its group at once."""
        if sys.platform == "win32":
            with contextlib.suppress(ProcessLookupError):
                self._transport.kill()
        elif not self.ended.done():
            self._kill_group()

    def close(self) -> None:
        """Kill the process where it runs, and let go of its pipes."""
        self.kill()
        self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.SubprocessTransport, transport)
        self._output.connection_made(cast(asyncio.BaseTransport, self._transport.get_pipe_transport(2)))

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        self._output.data_received(data)

    def pipe_connection_lost(self, fd: int, error: Exception | None) -> None:
        if fd == 2:
            self._output.connection_lost(error)

    def process_exited(self) -> None:
        self._kill_group()
        code = self._transport.get_returncode()
        self.ended.set_result(None)
        self._exited(1 if code is None else code)

    def _kill_group(self) -> None:
        if sys.platform != "win32":
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._transport.get_pid(), signal.SIGKILL)

"""Processes that begin as fresh interpreters."""

from __future__ import annotations

import asyncio
import socket

from . import frames
from .handover import Handover
from .interpreter import Interpreter
from .output import Output
from .process import Process


class Spawns:
    """Starts each process from nothing: slower than a fork, but works everywhere and with every library.

    Args:
        handover: the environment and its terms.
    """

    def __init__(self, handover: Handover) -> None:
        self._handover = handover
        self._packed = handover.pack()
        self._running: dict[Process, Interpreter] = {}

    async def start(self) -> Process:
        """Return a process that has begun to build its environment. Raises `OSError` where there is no room for one."""
        output = Output(self._handover.spec.name)
        process = Process(self._handover, output, lambda: interpreter.kill())
        ours, theirs = socket.socketpair()
        try:
            interpreter = await Interpreter.start("child", theirs, output, process.exited)
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        self._running[process] = interpreter
        process.ended.add_done_callback(lambda _: self._forget(process))
        try:
            await join(process, ours)
        except BaseException:
            process.kill()
            raise
        process.send(frames.HANDOVER, self._packed)
        return process

    async def close(self) -> None:
        """Kill every process and wait until they are gone."""
        running = dict(self._running)
        for process in running:
            process.kill()
        ends = [end for process, interpreter in running.items() for end in (process.ended, interpreter.ended)]
        if ends:
            await asyncio.wait(ends)

    def _forget(self, process: Process) -> None:
        self._running.pop(process).close()


async def join(process: Process, channel: socket.socket) -> None:
    """Make a socket the channel to a process."""
    loop = asyncio.get_running_loop()
    if hasattr(socket, "AF_UNIX") and channel.family == socket.AF_UNIX:
        await loop.create_unix_connection(lambda: process, sock=channel)
    else:
        await loop.create_connection(lambda: process, sock=channel)

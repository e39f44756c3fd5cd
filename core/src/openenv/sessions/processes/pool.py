"""Processes with built environments: some kept ahead, so that a session need not wait for one."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections import deque
from typing import Protocol

from ...errors import EnvironmentCrashed, FactoryError, ShuttingDown, UsageError
from ..settings import FORK, SPAWN, Settings
from ..spec import EnvironmentSpec
from .forks import Forks
from .handover import handover
from .process import Process
from .spawns import Spawns

logger = logging.getLogger("openenv.sessions")

FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 60.0
"""How long nothing is built ahead after a failure: doubled with each further one."""


class Starter(Protocol):
    """Starts processes."""

    async def start(self) -> Process:
        """Return a process that has begun to build its environment.

        Raises:
            FactoryError: the environment's module cannot be imported in another process.
            OSError: the system has no room for another process.
        """

    async def close(self) -> None:
        """Kill every process started, and wait until they are gone."""


class ProcessPool:
    """Gives out processes, each once, and builds the next ones in the background.

    Args:
        spec: the environment.
        settings: `process_start`, `warm_processes`, the limits.

    Raises:
        UsageError: the environment cannot cross to another process, or a setting cannot be had on this system.
    """

    def __init__(self, spec: EnvironmentSpec, settings: Settings) -> None:
        self._handover = handover(spec, settings)
        self._handover.limits.check()
        self._handover.pack()
        self._start_with = _start_method(settings.process_start)
        self._warm = settings.warm_processes
        self._ahead: deque[asyncio.Task[Process]] = deque()
        self._building: set[asyncio.Task[Process]] = set()
        self._pause_s = FIRST_PAUSE_S
        self._retry: asyncio.TimerHandle | None = None
        self._starter: Starter | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False

    def fill(self) -> None:
        """Begin to build ahead what is missing; needs a running loop."""
        starter = self._starter_here()
        while len(self._ahead) < self._warm and not self._closed:
            task = self._begin_to_build(starter)
            self._ahead.append(task)
            task.add_done_callback(self._built_ahead)

    async def take(self) -> Process:
        """Return a process with its environment built, one from ahead if there is one.

        Raises:
            FactoryError: the environment could not be built.
            ShuttingDown: the pool is closed.
        """
        if self._closed:
            raise ShuttingDown("the server is shutting down")
        starter = self._starter_here()
        process = None
        while self._ahead and (process is None or process.gone):
            process = await _wanted(self._ahead.popleft())
        if process is None or process.gone:
            process = await _wanted(self._begin_to_build(starter))
        self._pause_s = FIRST_PAUSE_S
        self._stop_waiting()
        self.fill()
        return process

    async def close(self) -> None:
        """Kill every process, in use or not, and wait until they are gone."""
        self._closed = True
        self._stop_waiting()
        self._ahead.clear()
        if self._starter is None or self._loop is not asyncio.get_running_loop():
            return
        for task in self._building:
            task.cancel()
        if self._building:
            await asyncio.wait(self._building)
        await self._starter.close()

    def _starter_here(self) -> Starter:
        """The starter on the running loop; what was started on another one ends with it."""
        loop = asyncio.get_running_loop()
        if self._starter is None or loop is not self._loop:
            self._loop = loop
            self._ahead.clear()
            self._building.clear()
            self._retry = None
            self._starter = Spawns(self._handover) if self._start_with == SPAWN else Forks(self._handover)
        return self._starter

    def _begin_to_build(self, starter: Starter) -> asyncio.Task[Process]:
        task = asyncio.ensure_future(self._build(starter))
        self._building.add(task)
        task.add_done_callback(self._building.discard)
        return task

    async def _build(self, starter: Starter) -> Process:
        try:
            process = await starter.start()
        except OSError as error:
            raise FactoryError(f"no process could be started for {self._handover.spec.name}: {error}") from error
        try:
            await process.built
        except EnvironmentCrashed as crash:
            message = f"{self._handover.spec.name} could not be built: {crash.message}"
            raise FactoryError(message, **crash.details) from None
        except BaseException:
            process.kill()
            raise
        return process

    def _built_ahead(self, task: asyncio.Task[Process]) -> None:
        """Look at what came of building ahead; a failure is tried again after a pause."""
        error = None if task.cancelled() else task.exception()
        if error is None or task not in self._ahead:
            return
        self._ahead.remove(task)
        if self._retry is None:
            logger.warning("building ahead failed, next try in %g s: %s", self._pause_s, error)
            self._retry = task.get_loop().call_later(self._pause_s, self._try_again)
            self._pause_s = min(2 * self._pause_s, LONGEST_PAUSE_S)

    def _try_again(self) -> None:
        self._retry = None
        self.fill()

    def _stop_waiting(self) -> None:
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None


def _start_method(wanted: str | None) -> str:
    can_fork = hasattr(os, "fork") and hasattr(socket, "AF_UNIX")
    if wanted == FORK and not can_fork:
        raise UsageError("process_start='fork' needs a POSIX system: use 'spawn' here")
    return wanted or (FORK if can_fork else SPAWN)


async def _wanted(building: asyncio.Task[Process]) -> Process:
    """Return a process once it is built; one that is ready in the moment its taker leaves is killed."""
    try:
        return await building
    except asyncio.CancelledError:
        kill_if_ready(building)
        raise


def kill_if_ready(building: asyncio.Future[Process]) -> None:
    """Kill a process that nobody will take, if it is built already."""
    if building.done() and not building.cancelled() and building.exception() is None:
        building.result().kill()

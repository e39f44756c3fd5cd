"""All sessions of a server: who gets a slot, and when it comes back."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Coroutine
from typing import Any

from ..errors import CapacityReached, SessionLost, ShuttingDown, UsageError
from .isolation import Isolation
from .session import Session
from .settings import PROCESS, Settings
from .spec import EnvironmentSpec
from .workers import Worker

logger = logging.getLogger("openenv.sessions")

DEFAULT_CONCURRENT_SESSIONS = 256
DEFAULT_CONCURRENT_PROCESSES = 64


class Registry:
    """Opens and ends sessions, at most `capacity` at once; newcomers queue, first come first served.

    Raises:
        UsageError: more sessions are asked for than the environment can have, or an isolation that it cannot.
    """

    def __init__(self, spec: EnvironmentSpec, settings: Settings | None = None) -> None:
        self.spec = spec
        self.settings = settings or Settings()
        self._isolation = Isolation(spec, self.settings)
        self.capacity = _capacity(spec, self.settings, self._isolation.kind)
        self._free = self.capacity
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._sessions: dict[str, Session] = {}
        self._shared_worker: Worker | None = None
        self._closing = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._reaper: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Build environments ahead where they live in processes, so that the first sessions need not wait for them.

        Needs a running loop; without it this begins with the first session.
        """
        self._isolation.begin()

    def __len__(self) -> int:
        return len(self._sessions)

    async def open(self, idle_timeout_s: float | None = None) -> Session:
        """Return a new session once there is a slot, with its environment built.

        Args:
            idle_timeout_s: how long it may lie unused; None for the setting.

        Raises:
            CapacityReached: no slot came free within `queue_timeout_s`.
            FactoryError: the environment could not be built; the slot is free again.
            ShuttingDown: the server is about to stop.
        """
        await self._take_slot()
        opening = asyncio.ensure_future(self._open_worker())
        try:
            worker = await asyncio.shield(opening)
        except asyncio.CancelledError:
            self._spawn(self._abandon(opening))
            raise
        except BaseException:
            self._give_slot_back()
            raise
        session = Session(worker, self.settings.idle_timeout_s if idle_timeout_s is None else idle_timeout_s)
        self._sessions[session.id] = session
        self._watch()
        return session

    def get(self, session_id: str) -> Session:
        """Return a live session. Raises `SessionLost` for an id that is unknown or ended."""
        session = self._sessions.get(session_id)
        if session is None:
            raise SessionLost("this session is unknown: it was closed, lay unused for too long, or the server was restarted")
        return session

    def has(self, session_id: str) -> bool:
        """Return whether a session lives."""
        return session_id in self._sessions

    async def end(self, session: Session, because: str = "it was closed") -> None:
        """End a session: close its environment after the call in flight, then free its slot. Twice does no harm."""
        if self._sessions.pop(session.id, None) is None:
            return
        session.end(because)
        await asyncio.shield(self._spawn(self._close_worker(session.worker)))

    async def close(self) -> None:
        """End every session and take no new ones; environments that do not close in time are logged and left."""
        self._closing = True
        if self._reaper is not None:
            self._reaper.cancel()
        for waiter in self._waiting:
            if not waiter.done():
                waiter.set_exception(ShuttingDown("the server is shutting down"))
        endings = [asyncio.ensure_future(self.end(session)) for session in list(self._sessions.values())]
        if self._shared_worker is not None:
            endings.append(asyncio.ensure_future(self._shared_worker.close()))
        if endings:
            _, late = await asyncio.wait(endings, timeout=self.settings.close_timeout_s)
            if late:
                logger.warning("%d environments did not close within %g s", len(late), self.settings.close_timeout_s)
        await self._isolation.close()

    async def _take_slot(self) -> None:
        if self._closing:
            raise ShuttingDown("the server is shutting down")
        if self._free and not self._waiting:
            self._free -= 1
            return
        waiter = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        try:
            await asyncio.wait_for(asyncio.shield(waiter), self.settings.queue_timeout_s)
        except TimeoutError:
            self._leave_queue(waiter)
            raise CapacityReached(
                f"all {self.capacity} sessions of this server are in use, and none came free within "
                f"{self.settings.queue_timeout_s:g} s",
                retry_after_s=max(1.0, self.settings.queue_timeout_s),
                max_sessions=self.capacity,
                active_sessions=len(self._sessions),
            ) from None
        except BaseException:
            self._leave_queue(waiter)
            raise

    def _leave_queue(self, waiter: asyncio.Future[None]) -> None:
        """Forget a waiter; a slot that was handed to it in the same moment goes on to the next."""
        if waiter in self._waiting:
            self._waiting.remove(waiter)
        if waiter.done() and not waiter.cancelled() and waiter.exception() is None:
            self._give_slot_back()
        waiter.cancel()

    def _give_slot_back(self) -> None:
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(None)
                return
        self._free += 1

    async def _open_worker(self) -> Worker:
        if self._shared_worker is not None:
            return self._shared_worker
        worker = self._isolation.new_worker()
        await worker.open()
        if self.spec.shared:
            self._shared_worker = worker
        return worker

    async def _abandon(self, opening: asyncio.Future[Worker]) -> None:
        """Close an environment whose client left while it was being built."""
        try:
            worker = await opening
        except Exception:
            self._give_slot_back()
        else:
            await self._close_worker(worker)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Start a task that goes on when its starter is cancelled."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _close_worker(self, worker: Worker) -> None:
        try:
            if worker is not self._shared_worker:
                await worker.close()
        finally:
            self._give_slot_back()

    def _watch(self) -> None:
        """Make sure that idle sessions are looked for, on the loop that runs now."""
        loop = asyncio.get_running_loop()
        if self._reaper is None or self._reaper.done() or self._reaper.get_loop() is not loop:
            self._reaper = loop.create_task(self._end_idle_sessions())

    async def _end_idle_sessions(self) -> None:
        while self._sessions:
            shortest = min(session.idle_timeout_s for session in self._sessions.values())
            await asyncio.sleep(min(30.0, max(0.05, shortest / 4)))
            for session in [session for session in self._sessions.values() if session.idle]:
                logger.info("a session lay unused for %g s and was ended", session.idle_timeout_s)
                await self.end(session, f"nobody used it for {session.idle_timeout_s:g} s")


def _capacity(spec: EnvironmentSpec, settings: Settings, isolation: str) -> int:
    wanted = settings.max_concurrent_envs
    if isolation == PROCESS:
        return wanted or DEFAULT_CONCURRENT_PROCESSES
    if spec.concurrent:
        return wanted or DEFAULT_CONCURRENT_SESSIONS
    if wanted is not None and wanted > 1:
        why = "is one instance" if spec.shared else "does not declare SUPPORTS_CONCURRENT_SESSIONS = True"
        instead = "" if spec.shared else ", or several with isolation='process'"
        raise UsageError(f"max_concurrent_envs={wanted}, but {spec.name} {why}: it can serve one session at a time{instead}")
    return 1

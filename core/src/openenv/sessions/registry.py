"""All sessions of a server: how they begin, lie idle, and end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any

from ..contract.mode import ServerMode
from ..errors import SessionLost, ShuttingDown
from .agents import AgentNames
from .session import Session
from .settings import Settings
from .slots import Slots, SlotSource
from .spec import EnvironmentSpec
from .supply import Supply
from .worker_names import worker_of

logger = logging.getLogger("openenv.sessions")

FLUSH_S = 0.05
"""What the last replies get to leave the machine once nothing runs any more."""


class Registry:
    """Begins, finds and ends sessions.

    Raises:
        UsageError: more sessions are asked for than the environment can have, or an isolation that it cannot.
    """

    def __init__(self, spec: EnvironmentSpec, settings: Settings | None = None) -> None:
        self.settings = settings or Settings()
        self.spec = replace(spec, mode=ServerMode(self.settings.mode))
        self._supply = Supply(self.spec, self.settings)
        self.agents = AgentNames()
        self._sessions: dict[str, Session] = {}
        self._reaper: asyncio.Task[None] | None = None
        self._endings: set[asyncio.Task[None]] = set()
        self._worker = ""

    def prepare(self) -> None:
        """Build environments ahead where they live in processes, so that the first sessions need not wait for them.

        Needs a running loop; without it this happens with the first session. After `close` sessions may begin again.
        """
        if self.stopping:
            self._supply = Supply(self.spec, self.settings)
        self._supply.begin()

    @property
    def own_slots(self) -> Slots:
        """The slots that this server has where it is one process."""
        return self._supply.own_slots

    @property
    def several(self) -> bool:
        """Whether the environment can have more than one session at once on this server."""
        return self._supply.several

    def join(self, worker: str, slots: SlotSource) -> None:
        """Be one of several worker processes of a server.

        Args:
            worker: names this process among all that the server ever has; the ids of its sessions begin with it, and so do
                the names by which agents reach them.
            slots: the places that they share.
        """
        self._worker = worker
        self.agents.prefix = f"{worker}."
        self._supply.slots = slots

    def __len__(self) -> int:
        return len(self._sessions)

    @property
    def serves_episodes(self) -> bool:
        """Whether episodes can be controlled, rather than only tools be called."""
        return self.spec.mode is ServerMode.SIMULATION

    @property
    def capacity(self) -> int:
        """How many environments may be in use at once."""
        return self._supply.slots.capacity

    @property
    def slots_taken(self) -> int:
        """How many environments are in use."""
        return self._supply.slots.taken

    @property
    def slots_awaited(self) -> int:
        """How many wait for an environment because all are in use."""
        return self._supply.slots.waiting

    @property
    def stopping(self) -> bool:
        """Whether the server is about to stop."""
        return self._supply.stopping

    def begin(self, idle_timeout_s: float | None = None) -> Session:
        """Return a new session, which takes a slot and an environment with its first call.

        Args:
            idle_timeout_s: how long it may lie unused; None for the setting.

        Raises:
            ShuttingDown: the server is about to stop.
        """
        if self.stopping:
            raise ShuttingDown("the server is shutting down")
        idle_timeout_s = self.settings.idle_timeout_s if idle_timeout_s is None else idle_timeout_s
        session = Session(self._supply, idle_timeout_s, self.settings.step_timeout_s, self.agents)
        if self._worker:
            session.id = f"{self._worker}.{session.id}"
        self._sessions[session.id] = session
        self._watch()
        return session

    async def open(self, idle_timeout_s: float | None = None) -> Session:
        """As `begin`, with a slot taken and the environment built.

        Raises:
            CapacityReached: no slot came free within `queue_timeout_s`.
            FactoryError: the environment could not be built; the slot is free again.
            ShuttingDown: the server is about to stop.
        """
        session = self.begin(idle_timeout_s)
        try:
            await session.open()
        except BaseException:
            await self.end(session)
            raise
        return session

    def get(self, session_id: str) -> Session:
        """Return a live session. Raises `SessionLost` for an id that is unknown or ended."""
        session = self._sessions.get(session_id)
        if session is None:
            raise self.lost(session_id)
        return session

    def lost(self, session_id: str) -> SessionLost:
        """Return what to say of an id that is unknown or ended."""
        worker = worker_of(session_id) if self._worker else None
        if worker not in (None, self._worker):
            return SessionLost(f"this session is unknown: worker process {worker}, in which it lived, is no more")
        return SessionLost("this session is unknown: it was closed, lay unused for too long, or the server was restarted")

    def has(self, session_id: str) -> bool:
        """Return whether a session lives."""
        return session_id in self._sessions

    async def end(self, session: Session, because: str = "it was closed") -> None:
        """End a session: close its environment after the call in flight, then free its slot. Twice does no harm."""
        if self._sessions.pop(session.id, None) is not None:
            session.end(because)
            await asyncio.shield(self._spawn(session.close()))

    async def drain(self) -> None:
        """Begin no more sessions and calls, and wait up to `drain_timeout_s` for the calls in flight."""
        self._supply.stop()
        grace_s = self.settings.drain_timeout_s
        give_up_at = asyncio.get_running_loop().time() + grace_s
        while any(session.busy for session in self._sessions.values()):
            if asyncio.get_running_loop().time() > give_up_at:
                logger.warning("calls were still running %g s after the server was told to stop", grace_s)
                break
            await asyncio.sleep(0.02)
        await asyncio.sleep(FLUSH_S)

    async def close(self) -> None:
        """End every session and begin no more; environments that do not close in time are logged and left."""
        self._supply.stop()
        if self._reaper is not None:
            self._reaper.cancel()
        endings = [asyncio.ensure_future(self.end(session, "the server stopped")) for session in [*self._sessions.values()]]
        if endings:
            await asyncio.wait(endings, timeout=self.settings.close_timeout_s)
        await self._supply.close()

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
                self._spawn(self.end(session, f"nobody used it for {session.idle_timeout_s:g} s"))

    def _spawn(self, ending: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Start a task that goes on when its starter is cancelled."""
        task = asyncio.create_task(ending)
        self._endings.add(task)
        task.add_done_callback(self._endings.discard)
        return task

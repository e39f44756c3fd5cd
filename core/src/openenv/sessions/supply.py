"""The environments of a server: slots for them, and the workers they live in."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

from ..contract.mode import ServerMode
from ..errors import ConcurrencyConfigurationError, NotSupportedError
from .isolation import Isolation
from .settings import PROCESS, Settings
from .slots import Slots, SlotSource
from .spec import EnvironmentSpec
from .workers import Worker

logger = logging.getLogger("openenv.sessions")

DEFAULT_CONCURRENT_SESSIONS = 256
DEFAULT_CONCURRENT_PROCESSES = 64


class Supply:
    """Builds and closes environments, at most `max_starting_envs` at once, for those who hold one of its slots.

    Raises:
        UsageError: more sessions are asked for than the environment can have, or an isolation that it cannot.
    """

    def __init__(self, spec: EnvironmentSpec, settings: Settings) -> None:
        self._spec = spec
        self._settings = settings
        self._isolation = Isolation(spec, settings)
        self.own_slots = Slots(
            _capacity(spec, settings, self._isolation.kind), settings.queue_timeout_s, _hint(spec, self._isolation.kind)
        )
        self.slots: SlotSource = self.own_slots
        self._starting = asyncio.Semaphore(settings.max_starting_envs)
        self._shared_worker: Worker | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.stopping = False
        self.serves_episodes = spec.mode is ServerMode.SIMULATION

    @property
    def several(self) -> bool:
        """Whether the environment can have more than one session at once here."""
        return self._spec.concurrent or self._isolation.kind == PROCESS

    @property
    def close_timeout_s(self) -> float:
        """How long a call may go on whose session is over."""
        return self._settings.close_timeout_s

    @property
    def max_message_bytes(self) -> int:
        """The longest message that is sent."""
        return self._settings.max_message_bytes

    def begin(self) -> None:
        """Build environments ahead where they live in processes; needs a running loop."""
        self._isolation.begin()

    def crews(self, count: int) -> list[int | None]:
        """See `Isolation.crews`.

        Raises:
            NotSupportedError: the app was given one instance.
        """
        if self._spec.shared:
            raise NotSupportedError(f"this server has one instance of {self._spec.name}, so no lanes")
        return self._isolation.crews(count)

    async def open_worker(self, size: int | None = None, *, lost: bool = False) -> Worker:
        """Return an environment in its worker, or a crew of `size`; see `CrewCalls` for `lost`. Raises `FactoryError`.

        Cancelled while it is built, this goes on until the environment is closed again.
        """
        if self._shared_worker is not None:
            return self._shared_worker
        async with self._starting:
            worker = self._isolation.new_worker(size, lost=lost)
            if self._spec.shared:
                self._shared_worker = worker
            try:
                await worker.open()
            except asyncio.CancelledError:
                await self.close_worker(worker)
                raise
        return worker

    async def close_worker(self, worker: Worker) -> None:
        """Close an environment after the call in flight; an instance that the app was given stays open."""
        if worker is not self._shared_worker:
            await asyncio.shield(self._spawn(worker.close()))

    def abandon_worker(self, worker: Worker) -> bool:
        """Close an environment that is stuck in a call once that returns; return whether another may take its place.

        There is no other for an instance that the app was given: its next call waits.
        """
        if worker is self._shared_worker:
            return False
        self.tell_of_stuck_call()
        self._spawn(worker.close())
        return True

    def tell_of_stuck_call(self) -> None:
        """Log that a call goes on though nobody waits for it any more."""
        logger.warning("a call of %s was given up and still runs; the environment is closed when it returns", self._spec.name)

    def stop(self) -> None:
        """Hand out no more slots, and let no further call begin."""
        self.stopping = True
        self.slots.close()

    async def close(self) -> None:
        """Hand out no more slots, and wait up to `close_timeout_s` for environments to close; late ones are logged."""
        self.stop()
        if self._shared_worker is not None:
            self._spawn(self._shared_worker.close())
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=self._settings.close_timeout_s)
            if late:
                logger.warning("%d environments did not close within %g s", len(late), self._settings.close_timeout_s)
        await self._isolation.close()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Start a task that goes on when its starter is cancelled."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


def _hint(spec: EnvironmentSpec, isolation: str) -> str:
    if spec.concurrent or spec.shared or isolation == PROCESS:
        return ""
    return f"; {spec.name} does not declare SUPPORTS_CONCURRENT_SESSIONS, so it serves one client at a time"


def _capacity(spec: EnvironmentSpec, settings: Settings, isolation: str) -> int:
    wanted = settings.max_concurrent_envs
    if isolation == PROCESS:
        return wanted or DEFAULT_CONCURRENT_PROCESSES
    if spec.concurrent:
        return wanted or DEFAULT_CONCURRENT_SESSIONS
    if wanted is not None and wanted > 1:
        if spec.shared:
            one = f"max_concurrent_envs={wanted}, but {spec.name} is one instance: it can serve one session at a time"
            raise ConcurrencyConfigurationError(spec.name, wanted, one)
        raise ConcurrencyConfigurationError(spec.name, wanted)
    return 1

"""How the environments of a server are kept apart."""

from __future__ import annotations

from ..errors import UsageError
from .calls import Calls
from .crew import CrewCalls
from .processes.pool import ProcessPool
from .processes.worker import ProcessWorker
from .settings import INLINE, ISOLATIONS, PROCESS, THREAD, Settings
from .spec import EnvironmentSpec
from .workers import Worker, new_worker


class Isolation:
    """Makes the workers of a server.

    Args:
        spec: the environment; its class's `ISOLATION` counts where the settings say nothing.
        settings: `isolation`, and what processes are started with.

    Attributes:
        kind: `inline`: on the event loop, where a call holds up every session. `thread`: a thread a session, which
            contains exceptions and calls that wait; environments that wait on the event loop run there nonetheless.
            `process`: a process a session, which contains everything.

    Raises:
        UsageError: the isolation is none of these, or cannot be had with this environment, these settings, this system.
    """

    def __init__(self, spec: EnvironmentSpec, settings: Settings) -> None:
        self.kind = _kind(spec, settings)
        self._spec = spec
        self._settings = settings
        self._pool = ProcessPool(spec, settings) if self.kind == PROCESS else None

    def begin(self) -> None:
        """Build processes ahead, where there are any; needs a running loop."""
        if self._pool is not None:
            self._pool.fill()

    def new_worker(self, size: int | None = None, *, lost: bool = False) -> Worker:
        """Return a worker for one environment, or for a crew of so many; `lost`: see `CrewCalls`."""
        if self._pool is not None:
            return ProcessWorker(self._pool, self._settings.close_timeout_s)
        longest = self._settings.max_message_bytes
        calls = Calls(self._spec, longest) if size is None else CrewCalls(self._spec, size, longest, lost=lost)
        return new_worker(self._spec, calls, inline=self.kind == INLINE)

    def crews(self, count: int) -> list[int | None]:
        """Return how lanes are divided into crews: the size of each, or None for a lane with a worker of its own."""
        if self._pool is not None or self._spec.is_async:
            return [None] * count
        workers = 1 if self.kind == INLINE else min(count, self._settings.lane_threads)
        return [count // workers + (index < count % workers) for index in range(workers)]

    async def close(self) -> None:
        """End every process, also those of workers that are not closed."""
        if self._pool is not None:
            await self._pool.close()


def _kind(spec: EnvironmentSpec, settings: Settings) -> str:
    kind = settings.isolation or getattr(spec.cls, "ISOLATION", None) or THREAD
    if kind not in ISOLATIONS:
        raise UsageError(f"{spec.cls.__name__}.ISOLATION is {kind!r}: it may be {', '.join(map(repr, ISOLATIONS))} or None")
    for name in ("memory_limit_mb", "cpu_limit_s"):
        if kind != PROCESS and getattr(settings, name) is not None:
            raise UsageError(f"{name} limits a process: it needs isolation='process', which is {kind!r} here")
    return kind

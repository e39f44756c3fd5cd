"""What an operator may set of a server's sessions."""

from __future__ import annotations

import os
from dataclasses import dataclass, fields, replace
from difflib import get_close_matches
from typing import Any

from ..contract.mode import ServerMode
from ..errors import UsageError
from ..wire.messages import DEFAULT_MAX_MESSAGE_BYTES

PREFIX = "OPENENV_"

INLINE, THREAD, PROCESS = "inline", "thread", "process"
ISOLATIONS = (INLINE, THREAD, PROCESS)
MODES = tuple(mode.value for mode in ServerMode)
FORK, SPAWN = "fork", "spawn"

ALIKE = 0.9
"""A variable that is so like a setting's, by `difflib`, is a mistyped one."""

NEVER_NEGATIVE = (
    "queue_timeout_s",
    "idle_timeout_s",
    "http_default_idle_s",
    "close_timeout_s",
    "drain_timeout_s",
    "ping_interval_s",
    "ping_timeout_s",
    "warm_processes",
    "resume_window_s",
)
ABOVE_ZERO = (
    "memory_limit_mb",
    "cpu_limit_s",
    "step_timeout_s",
    "unused_timeout_s",
    "max_starting_envs",
    "max_unacked_bytes",
    "lane_threads",
)


@dataclass(frozen=True)
class Settings:
    """Limits and times of a server. Each can be set by an environment variable of its name, `OPENENV_QUEUE_TIMEOUT_S`.

    Attributes:
        max_concurrent_envs: sessions at once; None gives 256 to environments that declare
            `SUPPORTS_CONCURRENT_SESSIONS`, and 1 to others; in processes it gives 64 to all.
        max_starting_envs: environments built at once; further ones wait. Default 8.
        queue_timeout_s: how long a newcomer waits for a slot before `CAPACITY_REACHED`. Default 50, so that
            this comes before a client's default patience of 60 ends.
        idle_timeout_s: a session that nobody calls for so long is ended. Default 3600.
        ping_interval_s: pause between pings of a socket, which keep proxies awake and find dead peers; 0 sends none.
            Default 20. Counts where `openenv.server.serve` runs the app.
        ping_timeout_s: a socket whose ping is not answered for so long is closed; 0 waits for ever. Default 20.
        resume_window_s: how long a session outlives its socket, so that its client can come back (version 2). Default 60.
        step_timeout_s: the longest that any call may take, queueing included; None sets no limit but the caller's.
        max_unacked_bytes: replies held for a client that has not said it has them; above it no call starts. Default 64 MiB.
        strict_reset: refuse a reset argument that the environment does not take (version 2). Default True.
        http_default_session: whether HTTP calls that name no session share one. Default True.
        http_default_idle_s: as `idle_timeout_s`, for that shared session. Default 60.
        max_message_bytes: largest message taken. Default 100 MiB.
        close_timeout_s: how long a stopping server waits for `Environment.close()`. Default 10. A process also gets no
            more than that to end its call in flight and close, once its session is over.
        drain_timeout_s: how long a stopping server lets calls in flight run on. Default 30.
        unused_timeout_s: a server that has no session and is asked for nothing but `GET /health` and `/metrics` for so long
            stops, as on SIGTERM. None: it waits for ever. Counts where `openenv.server.serve` runs the app.
        isolation: `inline` runs every environment on the event loop, for steps that are short and never wait; `thread`
            gives each a thread, except those that wait on the event loop; `process` gives each a process. None takes
            the environment class's `ISOLATION`, and where that is None too, `thread`.
        process_start: `fork` copies a process that has the environment's module loaded; `spawn` starts a fresh
            interpreter, for libraries that do not survive a fork. None forks where the system can (not on Windows).
        lane_threads: threads that the lanes of one session share in thread isolation: fewer cost less a step, more let more
            lanes wait at once. Default 8.
        warm_processes: processes whose environment is built before a session asks for it. Default 2.
        memory_limit_mb: MiB of memory that a process may hold, its libraries included (`RLIMIT_DATA`: private and
            writable). What it cannot get is a `MemoryError` in it. None: no limit. Linux only.
        mode: `simulation` serves episodes and tools; `production` serves tools only: no reset, step or state can be reached.
        cpu_limit_s: seconds of CPU time that a process may use in one call before it is ended. None: no limit. POSIX only.
    """

    max_concurrent_envs: int | None = None
    max_starting_envs: int = 8
    queue_timeout_s: float = 50.0
    idle_timeout_s: float = 3600.0
    ping_interval_s: float = 20.0
    ping_timeout_s: float = 20.0
    resume_window_s: float = 60.0
    step_timeout_s: float | None = None
    max_unacked_bytes: int = 64 * 1024 * 1024
    strict_reset: bool = True
    http_default_session: bool = True
    http_default_idle_s: float = 60.0
    max_message_bytes: int = DEFAULT_MAX_MESSAGE_BYTES
    close_timeout_s: float = 10.0
    drain_timeout_s: float = 30.0
    unused_timeout_s: float | None = None
    isolation: str | None = None
    process_start: str | None = None
    lane_threads: int = 8
    warm_processes: int = 2
    memory_limit_mb: int | None = None
    cpu_limit_s: float | None = None
    mode: str = ServerMode.SIMULATION.value

    def __post_init__(self) -> None:
        if self.max_concurrent_envs is not None and self.max_concurrent_envs < 1:
            raise UsageError(f"max_concurrent_envs must be at least 1, not {self.max_concurrent_envs}")
        for name in NEVER_NEGATIVE:
            if getattr(self, name) < 0:
                raise UsageError(f"{name} must not be negative, but is {getattr(self, name)}")
        for name in ABOVE_ZERO:
            limit = getattr(self, name)
            if limit is not None and limit <= 0:
                raise UsageError(f"{name} must be above 0, or None for no limit, but is {limit}")
        for name, allowed in (("isolation", ISOLATIONS), ("process_start", (FORK, SPAWN)), ("mode", MODES)):
            chosen = getattr(self, name)
            if chosen is not None and chosen not in allowed:
                raise UsageError(f"{name} is {chosen!r}: it may be {', '.join(map(repr, allowed))}")

    @classmethod
    def from_environment(cls, **given: Any) -> Settings:
        """Return the settings that the environment variables make, under those `given` (None: not given).

        Raises:
            UsageError: a variable holds what its setting cannot be, or is mistyped, or a given name is unknown.
        """
        unknown = given.keys() - {field.name for field in fields(cls)}
        if unknown:
            raise UsageError(f"no such setting: {', '.join(sorted(unknown))}")
        _refuse_mistyped({PREFIX + field.name.upper() for field in fields(cls)})
        chosen = {field.name: _read(field.name, str(field.type)) for field in fields(cls)}
        chosen.update((name, value) for name, value in given.items() if value is not None)
        return replace(cls(), **{name: value for name, value in chosen.items() if value is not None})


def _refuse_mistyped(variables: set[str]) -> None:
    """Raise `UsageError` for an environment variable that nearly is one of these."""
    for name in sorted(os.environ.keys() - variables):
        if name.startswith(PREFIX) and (meant := get_close_matches(name, variables, 1, ALIKE)):
            raise UsageError(f"there is no {name}: did you mean {meant[0]}?")


def _read(name: str, kind: str) -> Any:
    variable = PREFIX + name.upper()
    text = os.environ.get(variable, "").strip()
    if not text:
        return None
    try:
        if kind == "bool":
            return {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}[
                text.lower()
            ]
        if kind.startswith("str"):
            return text
        return int(text) if kind.startswith("int") else float(text)
    except (KeyError, ValueError):
        expected = "true or false" if kind == "bool" else "a whole number" if kind.startswith("int") else "a number"
        raise UsageError(f"{variable}={text!r} is not {expected}") from None

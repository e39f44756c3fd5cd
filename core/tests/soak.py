"""A server that many sessions are left behind at, and what it holds afterwards."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from abandoning import WAYS
from half_open import HalfOpen
from serving import wait_until

from openenv import GenericEnvClient
from openenv.launch.process import ProcessProvider

TESTS = str(Path(__file__).parent)
SETTINGS = {
    "PYTHONPATH": TESTS,
    "OPENENV_MAX_CONCURRENT_ENVS": "96",
    "OPENENV_RESUME_WINDOW_S": "1",
    "OPENENV_IDLE_TIMEOUT_S": "2",
    "OPENENV_HTTP_DEFAULT_IDLE_S": "1",
    "OPENENV_PING_INTERVAL_S": "1",
    "OPENENV_PING_TIMEOUT_S": "2",
    "MALLOC_MMAP_THRESHOLD_": str(256 * 1024),
}
"""Short windows; and long blocks go back to the system once freed, where glibc would keep some for each thread."""
QUIET_WITHIN_S = 30.0
"""By then every window, lease and ping of the settings has run out several times."""


class Vitals(NamedTuple):
    """What a process holds."""

    threads: int
    descriptors: int
    children: int
    resident_kib: int

    @property
    def countable(self) -> tuple[int, int, int]:
        return self[:3]


def vitals(pid: int) -> Vitals:
    """Read what a process and those below it hold from /proc; memory is its own."""
    folder = Path(f"/proc/{pid}")
    status = dict(line.split(":", 1) for line in (folder / "status").read_text().splitlines() if ":" in line)
    resident_kib = int(status["VmRSS"].split()[0])
    threads, descriptors = (len(list((folder / kind).iterdir())) for kind in ("task", "fd"))
    return Vitals(threads, descriptors, len(below(pid)), resident_kib)


def below(pid: int) -> list[int]:
    """Return the processes that a process has started, and those that they have."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue  # it has ended meanwhile
    found = [pid]
    for parent in found:
        found += [child for child, its_parent in parents.items() if its_parent == parent]
    return found[1:]


class Checkpoint(NamedTuple):
    """What the server held when it had been left alone after so many sessions."""

    sessions: int
    seconds: float
    held: Vitals


class Soak:
    """A server process and the sessions left behind at it."""

    def __init__(self, **settings: str) -> None:
        self._provider = ProcessProvider("serving_sleeper:app", env_vars={**SETTINGS, **settings})
        self._left = 0
        self.checkpoints: list[Checkpoint] = []

    def __enter__(self) -> Self:
        self._began = time.monotonic()
        self.url = self._provider.start()
        try:
            assert self._provider._process is not None
            self.pid = self._provider._process._process.pid
            asyncio.run(self.visit(within_s=20.0))
            self.quiet = self._vitals_at_rest()
        except BaseException:
            self._provider.stop()
            raise
        return self

    def _vitals_at_rest(self) -> Vitals:
        """What the server holds once that does not change any more."""
        seen = [vitals(self.pid)]

        def at_rest() -> bool:
            time.sleep(0.1)
            seen.append(vitals(self.pid))
            return len(seen) > 10 and len({held.countable for held in seen[-10:]}) == 1

        wait_until(at_rest, 20)
        return seen[-1]

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._provider.stop()

    def leave(self, count: int, *, batch: int = 100, half_open: int = 10) -> None:
        """Leave sessions behind, wait until the server has noticed, and note what it holds then."""
        staying = HalfOpen(self.url, half_open)
        try:
            for first in range(0, count - half_open, batch):
                self._leave_and_be_killed(self._left + first, min(batch, count - half_open - first))
            self._left += count
            wait_until(self.is_quiet, QUIET_WITHIN_S)
            self.checkpoints.append(Checkpoint(self._left, time.monotonic() - self._began, vitals(self.pid)))
        finally:
            staying.close()
        asyncio.run(self.visit())

    def _leave_and_be_killed(self, first: int, count: int) -> None:
        program = [sys.executable, "-m", "abandoning", self.url, str(first), str(count)]
        with subprocess.Popen(program, stdout=subprocess.PIPE, text=True, env={**os.environ, **SETTINGS}) as clients:
            assert clients.stdout is not None
            told = clients.stdout.readline()
            clients.kill()
        assert told == "left\n", "the clients did not get to where they were to leave"

    def is_quiet(self) -> bool:
        """Whether the server holds no more threads, descriptors and processes than before the first session."""
        now = vitals(self.pid)
        return all(held <= before for held, before in zip(now.countable, self.quiet.countable, strict=True))

    async def visit(self, within_s: float = 2.0) -> None:
        """Get a slot at once, or soon where the server has only just started; find nobody else there, and leave properly."""
        async with GenericEnvClient(base_url=self.url) as env:
            began = time.monotonic()
            await env.reset()
            assert time.monotonic() - began < within_s, "a fresh client had to wait"
            household = await env.state()
            assert (household["living"], household["strays"]) == (1, 0)

    def table(self) -> str:
        """Return the figures."""
        heads = ("sessions", "seconds", "threads", "descriptors", "processes below", "memory (MiB)")
        rows = [(0, 0.0, self.quiet), *self.checkpoints]
        lines = [f"{len(WAYS)} ways and half-open sockets, {self.checkpoints[-1].sessions} sessions"]
        lines.append("  ".join(heads))
        for sessions, seconds, (threads, descriptors, children, resident_kib) in rows:
            cells = (sessions, f"{seconds:.1f}", threads, descriptors, children, f"{resident_kib / 1024:.1f}")
            lines.append("  ".join(f"{cell!s:>{len(head)}}" for cell, head in zip(cells, heads, strict=True)))
        return "\n".join(lines)

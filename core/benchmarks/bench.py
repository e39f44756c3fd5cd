"""What measurements are made with: interpreters, servers and load generators of every side, started when first needed."""

from __future__ import annotations

import functools
import sys
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import payload
from packages import fresh_python, published_loop, published_python
from processes import Generator, Server
from rows import FLOOR, IN_PROCESS, INLINE, PUBLISHED, THREAD

SESSIONS = 1100
FOLDERS = {THREAD: "ours", INLINE: "ours", IN_PROCESS: "ours", PUBLISHED: "published", FLOOR: "floor"}


@dataclass
class Bench:
    """Everything that runs during a benchmark.

    Attributes:
        seconds: how long a measurement lasts.
        warmup_s: how long it runs before that, unmeasured.
        held: sessions whose memory is measured.
    """

    seconds: float
    warmup_s: float
    held: int
    _stack: ExitStack = field(default_factory=ExitStack)
    _servers: dict[tuple[str, str, int], Server] = field(default_factory=dict)
    _generators: dict[str, Generator] = field(default_factory=dict)

    def python(self, side: str, *, fresh: bool = False) -> Path:
        """Return a side's interpreter; `fresh`: one that has nothing but the package and what it needs."""
        if side == PUBLISHED:
            return _published()
        return _fresh() if fresh and side != FLOOR else Path(sys.executable)

    def new_server(self, side: str, kind: str, *, fresh: bool = False, sessions: int = SESSIONS, workers: int = 1) -> Server:
        """Start a server that shows a kind of content and has so many slots; the caller ends it. Only ours has `workers`."""
        arguments = {
            FLOOR: [kind],
            PUBLISHED: [kind, str(sessions)],
            THREAD: [kind, THREAD, str(sessions), str(workers)],
            INLINE: [kind, INLINE, str(sessions), str(workers)],
        }[side]
        return Server(self.python(side, fresh=fresh), f"{FOLDERS[side]}.server", *arguments)

    def server(self, side: str, kind: str, workers: int = 1) -> Server:
        """Return the running server of a side and a kind, with so many worker processes."""
        if side == PUBLISHED:
            kind = kind.replace(payload.ARRAY, "floats-")  # it sends an array as a list, which it does already
        if (side, kind, workers) not in self._servers:
            self._servers[side, kind, workers] = self._stack.enter_context(self.new_server(side, kind, workers=workers))
        return self._servers[side, kind, workers]

    def generator(self, side: str) -> Generator:
        """Return a side's load generator."""
        if side not in self._generators:
            search = _loop() if side == PUBLISHED else ()
            self._generators[side] = self._stack.enter_context(Generator(self.python(side), FOLDERS[side], search))
        return self._generators[side]

    def prepare(self, sides: tuple[str, ...], kind: str | None) -> None:
        """Start what measurements of these sides need, together, and wait until all of it is ready.

        Args:
            sides: whom to measure.
            kind: what their servers show; None where measurements start servers of their own.
        """
        servers = [self.server(side, kind) for side in sides if kind is not None and side != IN_PROCESS]
        generators = [self.generator(side) for side in sides]
        for server in servers:
            server.url()
        for generator in generators:
            generator.facts()

    def facts(self) -> dict[str, dict[str, str]]:
        """Return what the running load generators say of themselves."""
        return {side: generator.facts() for side, generator in self._generators.items()}

    def close(self) -> None:
        """End everything; what is asked for afterwards starts anew."""
        self._servers.clear()
        self._generators.clear()
        self._stack.close()


_published = functools.cache(published_python)
_loop = functools.cache(published_loop)
_fresh = functools.cache(fresh_python)

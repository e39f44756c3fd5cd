"""How cost grows: the same measurement at one size after another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import limits
import payload
from processes import BenchmarkError
from results import RowResult, Spread
from rows import FLOOR, LATENCIES, OURS, P50, PUBLISHED, SERVED, STEPS, THREAD, Metric, Row

if TYPE_CHECKING:
    from bench import Bench

SESSIONS, LISTS, ARRAYS = "sessions", "list", "array"
COUNTS = {False: (1, 4, 16, 64, 256, 1024, 4096), True: (1, 8, 64)}
SIZES = {False: (100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000), True: (100, 10_000, 1_000_000)}
"""Sessions and bytes, in a whole run and in a quick one."""

SPARE_SESSIONS = 8
SESSION_KB = Metric("session_kb", "kB a session")
SERVER_US, CLIENT_US = Metric("server_us", "server µs a step"), Metric("client_us", "client µs a step")
SERVER_BUSY, CLIENT_BUSY = Metric("server_busy", "server % busy"), Metric("client_busy", "client % busy")
MB_PER_S = Metric("mb_per_s", "MB/s", higher_is_better=True)
Measure = Callable[["Bench", str], dict[str, Any]]


@dataclass(frozen=True)
class Scale:
    """Something that grows.

    Attributes:
        name: `sessions`, `list` or `array`.
        rows: what is measured at each size.
    """

    name: str
    rows: dict[int, Row]


@dataclass(frozen=True)
class Growth:
    """What came of a scale.

    Attributes:
        name: its name.
        results: what was measured at each size.
    """

    name: str
    results: dict[int, RowResult]

    @property
    def sides(self) -> tuple[str, ...]:
        """Who was to be measured."""
        told = [*self.results.values()]
        return tuple(side for side in SERVED if any(side in result.measured or side in result.absent for result in told))

    def curve(self, metric: Metric, side: str) -> dict[int, float]:
        """Return the median of a figure at each size that has one."""
        spreads = {size: result.spread(metric, side) for size, result in self.results.items()}
        return {size: spread.median for size, spread in spreads.items() if spread is not None}

    def spread(self, size: int, metric: Metric, side: str) -> Spread | None:
        """Return the values of a figure at a size."""
        return self.results[size].spread(metric, side)

    def stop(self, side: str) -> tuple[int, str] | None:
        """Return the first size at which a side could not be measured, and why; None where there is none."""
        found = [(size, result.absent[side]) for size, result in self.results.items() if side in result.absent]
        return found[0] if found else None

    def as_json(self) -> dict[str, Any]:
        """Return everything, with every single value."""
        return {"name": self.name, "sizes": [{"size": size, **result.as_json()} for size, result in self.results.items()]}


def scales(quick: bool) -> list[Scale]:
    """Return what is to be measured."""
    stopped: list[str] = []
    counts = {count: _sessions(count, stopped) for count in COUNTS[quick]}
    lists = _payloads(LISTS, "floats-", SERVED, quick)
    return [Scale(SESSIONS, counts), lists, _payloads(ARRAYS, payload.ARRAY, (*OURS, FLOOR), quick)]


def _sessions(count: int, stopped: list[str]) -> Row:
    def measure(bench: Bench, side: str) -> dict[str, Any]:
        why = limits.obstacle(count, threads=side == THREAD)
        if why is not None:
            return {"absent": why}
        generator = bench.generator(side)
        with bench.new_server(side, payload.SMALL, sessions=count + SPARE_SESSIONS) as server:
            target = {"kind": payload.SMALL, "url": server.url()}
            generator.command("first", **target)
            options = {"count": count, "seconds": bench.seconds, "warmup_s": bench.warmup_s, "pid": server.pid}
            return generator.command("crowd", **target, **options)

    figures = (*LATENCIES, SESSION_KB, SERVER_US, CLIENT_US, SERVER_BUSY, CLIENT_BUSY)
    title = f"{count:,} sessions" if count > 1 else "1 session"
    return Row(f"{SESSIONS} × {count}", title, figures, SERVED, _as_far_as_it_gets(measure, stopped), every=2)


def _payloads(name: str, prefix: str, sides: tuple[str, ...], quick: bool) -> Scale:
    stopped: list[str] = []
    rows = {}
    for size in SIZES[quick]:
        kind = f"{prefix}{size // payload.FLOAT_BYTES}"
        measure = _as_far_as_it_gets(_payload(kind), stopped)
        figures = (STEPS, P50, MB_PER_S)
        rows[size] = Row(f"{name} of {size} B", f"{size:,} bytes as a {name}", figures, sides, measure, kind, every=2)
    return Scale(name, rows)


def _payload(kind: str) -> Measure:
    def measure(bench: Bench, side: str) -> dict[str, Any]:
        options = {"kind": kind, "seconds": bench.seconds, "warmup_s": bench.warmup_s}
        found = bench.generator(side).command("sequential", url=bench.server(side, kind).url(), **options)
        return found | {"mb_per_s": found["steps_per_s"] * payload.count(kind) * payload.FLOAT_BYTES / 1e6}

    return measure


def _as_far_as_it_gets(measure: Measure, stopped: list[str]) -> Measure:
    """Let the published side end where it fails, and not be tried beyond; what fails on another side is an error."""

    def tried(bench: Bench, side: str) -> dict[str, Any]:
        if side != PUBLISHED:
            return measure(bench, side)
        if not stopped:
            try:
                return measure(bench, side)
            except BenchmarkError as error:
                stopped.append(str(error).splitlines()[0])
                bench.close()
        return {"absent": stopped[0]}

    return tried

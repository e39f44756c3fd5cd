"""What is measured."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import payload
from packages import import_s, installed

if TYPE_CHECKING:
    from bench import Bench

THREAD, INLINE, PUBLISHED, FLOOR, IN_PROCESS = "thread", "inline", "published", "floor", "in process"
OURS = (THREAD, INLINE)
SERVED = (*OURS, PUBLISHED, FLOOR)
SIDES = (*SERVED, IN_PROCESS)
ALONE = (THREAD, PUBLISHED)
"""Where isolation and sockets make no difference."""


@dataclass(frozen=True)
class Metric:
    """One figure of a row.

    Attributes:
        key: its name in what a measurement returns.
        unit: as it is printed.
        higher_is_better: whether more of it is what one wants.
    """

    key: str
    unit: str
    higher_is_better: bool = False


STEPS = Metric("steps_per_s", "steps/s", higher_is_better=True)
P50, P99 = Metric("p50_ms", "p50 ms"), Metric("p99_ms", "p99 ms")
LATENCIES = (STEPS, P50, P99)


@dataclass(frozen=True)
class Row:
    """One line of the benchmark.

    Attributes:
        name: what `--row` takes.
        title: what it measures.
        metrics: the figures that it gives.
        sides: whom it can be measured on.
        measure: takes the bench and a side; returns figures by key, perhaps `used`, or `absent` with a reason.
        kind: the content that the servers show; None where a measurement starts servers of its own, or none.
        generated: whether load generators take part.
        every: repeat it only so many times less often, where a measurement is slow or always gives the same.
    """

    name: str
    title: str
    metrics: tuple[Metric, ...]
    sides: tuple[str, ...]
    measure: Callable[[Bench, str], dict[str, Any]]
    kind: str | None = None
    generated: bool = True
    every: int = 1


def _timed(do: str, kind: str = payload.SMALL, **details: Any) -> Callable[[Bench, str], dict[str, Any]]:
    """Return a measurement that a load generator carries out for a while; beside it the environment alone."""

    def measure(bench: Bench, side: str) -> dict[str, Any]:
        options = {"kind": kind, "seconds": bench.seconds, "warmup_s": bench.warmup_s, **details}
        if side == IN_PROCESS:
            return bench.generator(side).command("in_process", **options)
        return bench.generator(side).command(do, url=bench.server(side, kind).url(), **options)

    return measure


def _lanes(count: int) -> Callable[[Bench, str], dict[str, Any]]:
    """Return the measurement of lanes, which on the published side are as many sessions."""
    lanes, sessions = _timed("lanes", count=count), _timed("concurrent", count=count)
    return lambda bench, side: (sessions if side == PUBLISHED else lanes)(bench, side)


def _workers(count: int, kind: str) -> Callable[[Bench, str], dict[str, Any]]:
    """Return the measurement of sessions on a server of one process, and right after it on one of two."""

    def measure(bench: Bench, side: str) -> dict[str, Any]:
        options = {"kind": kind, "count": count, "seconds": bench.seconds, "warmup_s": bench.warmup_s}
        one, two = (
            bench.generator(side).command("concurrent", url=bench.server(side, kind, workers).url(), **options)["steps_per_s"]
            for workers in (1, 2)
        )
        return {"one_per_s": one, "two_per_s": two, "scaling": two / one}

    return measure


def _first_step(bench: Bench, side: str) -> dict[str, Any]:
    generator = bench.generator(side)
    generator.facts()
    with bench.new_server(side, payload.SMALL, fresh=True) as server:
        generator.command("first", kind=payload.SMALL, url=server.url())
        return {"first_step_s": time.perf_counter() - server.started}


def _memory(bench: Bench, side: str) -> dict[str, Any]:
    with bench.new_server(side, payload.SMALL, fresh=True) as server:
        url = server.url()
        bench.generator(side).command("first", kind=payload.SMALL, url=url)
        return bench.generator(side).command("memory", kind=payload.SMALL, url=url, count=bench.held, pid=server.pid)


def _install(bench: Bench, side: str) -> dict[str, Any]:
    return installed(bench.python(side, fresh=True))


def _import(bench: Bench, side: str) -> dict[str, Any]:
    python = bench.python(side, fresh=True)
    return {
        "import_s": import_s(python, "from openenv import GenericEnvClient"),
        "name_s": import_s(python, "import openenv"),
    }


def _loaded(
    name: str,
    title: str,
    metrics: tuple[Metric, ...],
    do: str,
    kind: str = payload.SMALL,
    sides: tuple[str, ...] = SIDES,
    **details: Any,
) -> Row:
    return Row(name, title, metrics, sides, _timed(do, kind, **details), kind)


STEP_RATE = (STEPS, P99)
FLOATS_1K, FLOATS_100K, ARRAY_1K, ARRAY_100K = "floats-1000", "floats-100000", "array-1000", "array-100000"
CONNECT = (Metric("connect_ms", "median ms"), Metric("connect_p99_ms", "p99 ms"))
WORKERS = (
    Metric("one_per_s", "steps/s by 1 process", higher_is_better=True),
    Metric("two_per_s", "steps/s by 2", higher_is_better=True),
    Metric("scaling", "times as many by 2", higher_is_better=True),
)
MEMORY = (Metric("idle_mb", "MB at rest"), Metric("session_kb", "kB a session"))
INSTALL = (Metric("install_mb", "MB"), Metric("packages", "packages"))
IMPORT = (Metric("import_s", "s"), Metric("name_s", "s, bare openenv"))
ROWS = [
    _loaded("async", "one session, awaited", LATENCIES, "sequential"),
    _loaded("sync", "one session, blocking", LATENCIES, "blocking"),
    _loaded("http", "one session over HTTP", LATENCIES, "http"),
    _loaded("sessions-64", "64 sessions at once", LATENCIES, "concurrent", sides=SERVED, count=64),
    _loaded("sessions-512", "512 sessions at once", LATENCIES, "concurrent", sides=SERVED, count=512),
    Row("workers-64", "64 sessions, worker processes", WORKERS, OURS, _workers(64, payload.SMALL), payload.SMALL),
    Row(
        "workers-64-thinking",
        "64 sessions whose steps compute, worker processes",
        WORKERS,
        OURS,
        _workers(64, payload.THINKING),
        payload.THINKING,
    ),
    Row("lanes-64", "64 lanes on one connection (published: 64 sessions)", (STEPS,), SERVED, _lanes(64), payload.SMALL),
    _loaded("floats-1k", "observations of 1,000 floats", STEP_RATE, "sequential", FLOATS_1K),
    _loaded("floats-100k", "observations of 100,000 floats", STEP_RATE, "sequential", FLOATS_100K),
    _loaded("arrays-1k", "the same 1,000 as an array (published: a list)", STEP_RATE, "sequential", ARRAY_1K),
    _loaded("arrays-100k", "the same 100,000 as an array (published: a list)", STEP_RATE, "sequential", ARRAY_100K),
    _loaded("image", "observations with an image of 1 MB", STEP_RATE, "sequential", payload.IMAGE),
    _loaded("connect", "connect, reset, close", CONNECT, "connect", sides=SERVED),
    Row(
        "first-step",
        "start of the server's process to the first step",
        (Metric("first_step_s", "s"),),
        SERVED,
        _first_step,
        every=2,
    ),
    Row("memory", "the server's memory", MEMORY, SERVED, _memory, every=2),
    Row("install", "what an installation brings", INSTALL, ALONE, _install, generated=False, every=1000),
    Row("import", "importing a client", IMPORT, ALONE, _import, generated=False, every=2),
]

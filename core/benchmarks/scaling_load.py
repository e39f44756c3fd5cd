"""One step of scaling: `python -m scaling_load STEP SECONDS WARMUP_S HELD` starts servers, plays at them, and ends them.

Prints one line of JSON: what it measured. The servers are those that a user gets: by a provider, and by a fleet of them.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ours.client
import payload
from load import Load, Result, rates
from memory import resident_mb
from process_start import allow_many_sockets
from processor import used_s
from scaling_steps import FLEET, ONE, RAY, WORKERS

from openenv.launch.process import ProcessProvider
from openenv.launch.provider import RuntimeProvider
from openenv.rollout import Fleet

APP = "ours.app:app"
MARK = "BENCH_MARK"
PLAYED = 64
SPARE_SESSIONS = 64
NODES = ("127.0.0.2", "127.0.0.3")


class Place:
    """Where sessions are played: what `load` knows as a side.

    Args:
        step: which servers.
        kind: what their environment does.
        sessions: how many each must take.
    """

    def __init__(self, step: str, kind: str, sessions: int) -> None:
        variables = {
            "PYTHONPATH": str(Path(__file__).parent),
            "BENCH_KIND": kind,
            "OPENENV_ISOLATION": "thread",
            "OPENENV_MAX_CONCURRENT_ENVS": str(sessions + SPARE_SESSIONS),
            "OPENENV_WORKERS": "2" if step == WORKERS else "1",
        }
        provider: RuntimeProvider = ProcessProvider(APP, env_vars=variables)
        if step == RAY:
            from openenv.launch.ray import RayProvider

            provider = RayProvider(APP, env_vars=variables)
        self._client = ours.client.client(kind, "http://unused").__class__
        self._fleet = Fleet(self._client, provider, servers=2).sync() if step in (FLEET, RAY) else None
        self._provider = provider
        self._url = ""

    def __enter__(self) -> Place:
        if self._fleet is not None:
            self._fleet.__enter__()
        else:
            self._url = self._provider.start()
            self._provider.wait_for_ready()
        return self

    def __exit__(self, *_: object) -> None:
        if self._fleet is not None:
            self._fleet.__exit__(None, None, None)
        self._provider.stop()

    def client(self, kind: str, url: str) -> Any:
        """Return a client to be entered with `async with`."""
        return self._client(base_url=self._url) if self._fleet is None else self._fleet.async_fleet.session()

    def move(self) -> Any:
        """Return an action."""
        return ours.client.move()

    def content(self, seen: Any) -> None:
        """Nothing here is checked again."""


class Processes:
    """What was started here, found by a variable that it inherits."""

    def __init__(self) -> None:
        self._mark = uuid.uuid4().hex
        os.environ[MARK] = self._mark

    def servers(self) -> list[int]:
        """Return the processes of the servers."""
        return [pid for pid, command in self._marked().items() if b"openenv.server" in command]

    def others(self) -> list[int]:
        """Return what runs beside the servers."""
        return [pid for pid, command in self._marked().items() if b"openenv.server" not in command]

    def _marked(self) -> dict[int, bytes]:
        parents: dict[int, int] = {}
        commands: dict[int, bytes] = {}
        marked: set[int] = set()
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                pid = int(process.name)
                parents[pid] = int((process / "stat").read_text().rpartition(")")[2].split()[1])
                commands[pid] = (process / "cmdline").read_bytes()
                if f"{MARK}={self._mark}".encode() in (process / "environ").read_bytes():
                    marked.add(pid)
        before = -1
        while len(marked) > before:  # Ray's workers write over their variables to name themselves
            before = len(marked)
            marked |= {pid for pid, parent in parents.items() if parent in marked}
        return {pid: commands[pid] for pid in marked - {os.getpid()}}


def measure(step: str, seconds: float, warmup_s: float, held: int) -> Result:
    """Return the figures of a step."""
    processes = Processes()
    found: Result = {}
    with _cluster() if step == RAY else contextlib.nullcontext():
        for kind in (payload.SMALL, payload.THINKING):
            with Place(step, kind, max(held, PLAYED)) as place, asyncio.Runner(loop_factory=_loop()) as runner:
                load, options = Load(place, runner), {"kind": kind, "url": ""}
                if kind == payload.SMALL:
                    found |= runner.run(_memory(load, options, processes, held))
                found |= runner.run(_play(load, options, processes, seconds, warmup_s))
    return found


async def _memory(load: Load, options: Result, processes: Processes, held: int) -> Result:
    await load.first(**options)
    await asyncio.sleep(1)
    servers = processes.servers()
    idle, beside = sum(map(resident_mb, servers)), sum(map(resident_mb, processes.others()))
    async with contextlib.AsyncExitStack() as stack:
        await load.opened(stack, count=held, **options)
        await asyncio.sleep(1)
        full = sum(map(resident_mb, servers))
    return {"processes": len(servers), "idle_mb": idle, "beside_mb": beside, "session_kb": (full - idle) * 1000 / held}


async def _play(load: Load, options: Result, processes: Processes, seconds: float, warmup_s: float) -> Result:
    async with contextlib.AsyncExitStack() as stack:
        envs = await load.opened(stack, count=PLAYED, **options)
        servers = processes.servers()
        began = _used_s(servers)
        durations, before = await load.played(envs, seconds, warmup_s)
        used_s = _used_s(servers) - began
    steps = before + len(durations)
    told = rates(durations, seconds) | {"server_us": used_s / steps * 1e6}
    return {f"{options['kind']}_{name}": told[name] for name in ("steps_per_s", "p99_ms", "server_us")}


def _used_s(pids: list[int]) -> float:
    return sum(map(used_s, pids))


def _loop() -> Any:
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


@contextlib.contextmanager
def _cluster() -> Iterator[None]:
    """Run a Ray cluster of two nodes, each with room for one server and an address of its own."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    import ray
    from ray.cluster_utils import Cluster

    head, other = ({"node_ip_address": address, "num_cpus": 1, "include_dashboard": False} for address in NODES)
    cluster = Cluster(initialize_head=True, head_node_args=head)
    try:
        cluster.add_node(**other)
        ray.init(address=cluster.address, log_to_driver=False, logging_level="warning")
        yield
    finally:
        ray.shutdown()
        cluster.shutdown()


def main(step: str, seconds: str, warmup_s: str, held: str) -> None:
    allow_many_sockets()
    replies = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what the packages print does not mix with the reply
    assert step in (ONE, WORKERS, FLEET, RAY)
    replies.write(json.dumps(measure(step, float(seconds), float(warmup_s), int(held))) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Servers on a Ray cluster: where they go, what is said where they cannot, and what a node's end costs a fleet."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from counting import Count, CounterEnv
from ray_nodes import APP, ROLLOUT, TESTS, Nodes, one_node
from serving import wait_until

from openenv.errors import LaunchError, MissingExtra, SessionLost
from openenv.launch.ray import RayProvider
from openenv.rollout import Fleet, FleetEvent

HALF, WHOLE = 5, 10
"""An episode of `Counter` ends at 10."""

SESSIONS_EACH = 2


@pytest.fixture(scope="module")
def cluster() -> Iterator[Nodes]:
    """A cluster of one node with one CPU."""
    with one_node(num_cpus=1) as made:
        yield made


def test_what_no_node_has_is_told_with_what_there_is(cluster: Nodes) -> None:
    large = RayProvider(APP, num_cpus=8, memory_mb=1, resources={"gold": 2}, startup_timeout_s=0.5)
    with pytest.raises(
        LaunchError, match=r"found no node .*CPU 8, 1 MiB of memory, gold 2, and of 1 nodes none .*most: CPU 1,"
    ):
        large.start()
    assert cluster.left() == set()


def test_what_others_hold_is_told_and_a_start_that_waits_for_it_can_be_broken_off(cluster: Nodes) -> None:
    first = RayProvider(APP, env_vars=TESTS)
    first.start()
    second = RayProvider(APP, env_vars=TESTS, startup_timeout_s=0.5)
    with pytest.raises(LaunchError, match="CPU 1, which 1 of 1 nodes have: other work holds it"):
        second.start()
    waiting = first.another()
    threading.Timer(0.5, waiting.stop).start()
    with pytest.raises(LaunchError, match=r"is on no node of the cluster: .*killed"):
        waiting.start()
    assert first.is_running()
    first.stop()
    assert cluster.left() == set()


def test_a_server_ends_with_its_actor(cluster: Nodes) -> None:
    provider = RayProvider(APP, env_vars=TESTS)
    provider.start()
    (server,) = cluster.servers()
    actor = int(Path(f"/proc/{server}/stat").read_text().rpartition(")")[2].split()[1])
    os.kill(actor, signal.SIGKILL)
    wait_until(lambda: not provider.is_running(), 10)
    with pytest.raises(LaunchError, match="is on no node of the cluster"):
        provider.wait_for_ready()
    wait_until(lambda: not cluster.servers(), 20)


def test_what_cannot_be_is_refused_in_one_line(cluster: Nodes, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(LaunchError, match=r"cannot be placed so: .*NOWHERE"):
        RayProvider(APP, scheduling_strategy="NOWHERE").start()
    with pytest.raises(LaunchError, match=f"connected to the Ray cluster at {cluster.address}, not to 127.0.0.9:1"):
        RayProvider(APP, address="127.0.0.9:1").start()
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtra, match=r"pip install 'openenv-core\[ray\]'"):
        RayProvider(APP)


def test_where_no_cluster_answers_it_says_so_at_once() -> None:
    program = "from openenv.launch.ray import RayProvider; RayProvider('a:b', address='127.0.0.9:1').start()"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert "no Ray cluster answers at 127.0.0.9:1 (Connection refused): start one with" in done.stderr.splitlines()[-1]


UNNAMED = """
import sys
from openenv.launch.ray import RayProvider
from openenv.errors import LaunchError
try:
    RayProvider("nowhere:app", address=sys.argv[1] or None, num_cpus=1000, startup_timeout_s=0.5).start()
except LaunchError as error:
    print(error)
"""


def said_by_one_that_starts_a_server(address: str, **variables: str) -> str:
    """Return what a program prints that asks for more than there is."""
    environment = {name: value for name, value in os.environ.items() if name != "RAY_ADDRESS"} | variables
    command = [sys.executable, "-c", UNNAMED, address]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment, check=True)
    assert "found no node" in done.stdout
    return done.stderr


def test_a_cluster_of_another_program_is_named_where_its_user_has_not_named_it(cluster: Nodes) -> None:
    said = said_by_one_that_starts_a_server("")
    assert f"servers go to the Ray cluster at {cluster.address}, which runs on this machine already; address='local'" in said
    assert "servers go to" not in said_by_one_that_starts_a_server(cluster.address)


@pytest.mark.long
def test_a_program_may_have_a_cluster_of_its_own(cluster: Nodes) -> None:
    assert "servers go to" not in said_by_one_that_starts_a_server("", RAY_ADDRESS=cluster.address)
    assert "servers go to" not in said_by_one_that_starts_a_server("local")


class Rollout:
    """Two sessions on each of three servers."""

    def __init__(self, cluster: Nodes) -> None:
        self.cluster = cluster
        self.lost: list[FleetEvent] = []
        provider = RayProvider(APP, env_vars=TESTS, num_cpus=0, resources={ROLLOUT: 1})
        self.fleet = Fleet(CounterEnv, provider, servers=3, sessions_per_server=SESSIONS_EACH, on_event=self._hear)
        self.sessions = {f"episode-{number}": self.fleet.session() for number in range(3 * SESSIONS_EACH)}

    def _hear(self, event: FleetEvent) -> None:
        if event.kind == "lost":
            self.lost.append(event)

    async def begin(self) -> None:
        """Play the first half of an episode in each session."""
        await asyncio.gather(*(_begin(name, env) for name, env in self.sessions.items()))

    async def end(self) -> dict[str, Any]:
        """Play the other half; return each episode's reward, or how it was lost, once all that were lost are told of."""
        played = await asyncio.gather(*map(_end, self.sessions.values()), return_exceptions=True)
        wanted = sum(isinstance(reward, SessionLost) for reward in played)
        async with asyncio.timeout(10):
            while len(self.lost) < wanted:
                await asyncio.sleep(0.01)  # the fleet tells it in a thread of its own
        return dict(zip(self.sessions, played, strict=True))

    def hosts(self) -> list[str]:
        """Return where servers are that get sessions."""
        return sorted(_host(server.url) for server in self.fleet.status.servers if server.state == "ready")

    async def until_on(self, *hosts: str) -> None:
        """Wait until the fleet's servers are there."""
        async with asyncio.timeout(90):
            while self.hosts() != sorted(hosts):
                await asyncio.sleep(0.05)

    def check(self, played: dict[str, Any], host: str, servers: int = 1) -> None:
        """The episodes of a node, and no others, were lost, and each was told of."""
        lost = {name for name, reward in played.items() if isinstance(reward, SessionLost)}
        assert len(lost) == servers * SESSIONS_EACH
        assert sorted((_host(event.url), event.episode_id) for event in self.lost) == sorted((host, name) for name in lost)
        assert [reward for name, reward in played.items() if name not in lost] == [WHOLE] * (len(played) - len(lost))
        self.lost.clear()


@asynccontextmanager
async def rollout(cluster: Nodes, room: int) -> AsyncIterator[Rollout]:
    """Run a fleet on three nodes, each with room for so many servers."""
    for number in (3, 4, 5):
        cluster.add(number, room)
    made = Rollout(cluster)
    try:
        async with made.fleet:
            yield made
            await asyncio.gather(*(env.close() for env in made.sessions.values()))
        assert cluster.servers() == []
    finally:
        cluster.clear()


async def _begin(name: str, env: CounterEnv) -> None:
    await env.reset(episode_id=name)
    for total in range(1, HALF + 1):
        assert (await env.step(Count(amount=1))).observation.total == total


async def _end(env: CounterEnv) -> float:
    reward = float(HALF)
    for total in range(HALF + 1, WHOLE + 1):
        result = await env.step(Count(amount=1))
        assert (result.observation.total, result.done) == (total, total == WHOLE)
        reward += result.reward or 0.0
    return reward


def _host(url: str | None) -> str:
    return urlsplit(url or "").hostname or ""


async def test_a_node_killed_in_a_rollout_costs_what_ran_there_and_a_new_one_takes_its_place(cluster: Nodes) -> None:
    async with rollout(cluster, room=1) as play:
        assert play.hosts() == ["127.0.0.3", "127.0.0.4", "127.0.0.5"]
        await play.begin()
        cluster.kill("127.0.0.4")
        play.check(await play.end(), "127.0.0.4")
        cluster.add(6, room=1)
        await play.until_on("127.0.0.3", "127.0.0.5", "127.0.0.6")
        await play.begin()
        assert set((await play.end()).values()) == {WHOLE}
        counts = play.fleet.status.episodes
        assert (counts.begun, counts.finished, counts.lost) == (12, 10, 2)


@pytest.mark.long
async def test_servers_of_nodes_that_go_are_placed_on_the_nodes_left_as_long_as_there_is_room(cluster: Nodes) -> None:
    async with rollout(cluster, room=2) as play:
        for gone in ("127.0.0.4", "127.0.0.3"):
            await play.begin()
            there = play.hosts().count(gone)
            cluster.kill(gone)
            play.check(await play.end(), gone, there)
            if gone == "127.0.0.4":
                async with asyncio.timeout(90):
                    while len(play.hosts()) < 3:
                        await asyncio.sleep(0.05)
        await play.until_on("127.0.0.5", "127.0.0.5")
        assert play.fleet.status.wanted == 3

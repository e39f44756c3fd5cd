"""A fleet on several nodes: what a node's end costs is exactly what ran there, and the fleet is whole again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
from counting import Count, CounterEnv
from ray_nodes import APP, TESTS, Nodes, nodes

from openenv.errors import SessionLost
from openenv.launch.ray import RayProvider
from openenv.rollout import Fleet, FleetEvent

HALF, WHOLE = 5, 10
"""An episode of `Counter` ends at 10."""

SESSIONS_EACH = 2


class Rollout:
    """Two sessions on each of three servers, each on a node."""

    def __init__(self, cluster: Nodes) -> None:
        self.cluster = cluster
        self.lost: list[FleetEvent] = []
        provider = RayProvider(APP, env_vars=TESTS)
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
async def rollout(cluster: Nodes) -> AsyncIterator[Rollout]:
    made = Rollout(cluster)
    async with made.fleet:
        yield made
        await asyncio.gather(*(env.close() for env in made.sessions.values()))
    assert cluster.servers() == []


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


async def test_a_node_killed_in_a_rollout_costs_what_ran_there_and_a_new_one_takes_its_place() -> None:
    with nodes(2, 3, 4) as cluster:
        async with rollout(cluster) as play:
            assert play.hosts() == ["127.0.0.2", "127.0.0.3", "127.0.0.4"]
            await play.begin()
            cluster.kill("127.0.0.4")
            play.check(await play.end(), "127.0.0.4")
            cluster.add(5)
            await play.until_on("127.0.0.2", "127.0.0.3", "127.0.0.5")
            await play.begin()
            assert set((await play.end()).values()) == {WHOLE}
            counts = play.fleet.status.episodes
            assert (counts.begun, counts.finished, counts.lost) == (12, 10, 2)


@pytest.mark.long
async def test_servers_of_nodes_that_go_are_placed_on_the_nodes_left_as_long_as_there_is_room() -> None:
    with nodes(2, 3, 4, num_cpus=2) as cluster:
        async with rollout(cluster) as play:
            for gone in ("127.0.0.4", "127.0.0.3"):
                await play.begin()
                there = play.hosts().count(gone)
                cluster.kill(gone)
                played = await play.end()
                play.check(played, gone, there)
                if gone == "127.0.0.4":
                    async with asyncio.timeout(90):
                        while len(play.hosts()) < 3:
                            await asyncio.sleep(0.05)
            await play.until_on("127.0.0.2", "127.0.0.2")
            assert play.fleet.status.wanted == 3

"""Many servers used as one: what a death costs, who gets a slot, and what is left afterwards."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections import Counter as Tally
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from containers import left
from counting import Count, CounterEnv
from fleets import PATH, Events, Processes, fleet_of
from server_process import alive
from serving import wait_until
from soak import below

from openenv.errors import CapacityReached, LaunchError, SessionLost, UsageError
from openenv.launch.docker import LocalDockerProvider
from openenv.launch.process import ProcessProvider
from openenv.launch.provider import Container
from openenv.rollout import Fleet

MINE = os.getpid()


@pytest.fixture
def others() -> set[int]:
    """The processes of this one that are not of a test's own fleet."""
    return set(below(MINE))


def new(others: set[int]) -> set[int]:
    """Return the processes of a test's own fleet."""
    return set(below(MINE)) - others


async def until(condition: Any, timeout_s: float = 20.0) -> None:
    """As `wait_until`, for an event loop."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.02)


class Player:
    """Plays episodes of ten steps in a session, and keeps account of them by itself."""

    def __init__(self, fleet: Fleet[CounterEnv], name: str) -> None:
        self.name = name
        self.url: str | None = None
        self.rewards: list[float] = []
        self.lost: list[str] = []
        self._env = fleet.session()

    async def play(self, begun: asyncio.Barrier, going_on: asyncio.Event) -> str | None:
        """Play until an episode has ended; return where that was."""
        async with self._env as env:
            await env.reset(episode_id=self.name)
            self.url = env.base_url
            await begun.wait()
            episode_id, rewards = self.name, list[float]()
            while True:
                try:
                    result = await env.step(Count(amount=1))
                    await asyncio.wait_for(going_on.wait(), 20)
                except SessionLost:
                    self.lost.append(episode_id)
                    episode_id, rewards = f"{self.name} again", []
                    await env.reset(episode_id=episode_id)
                    continue
                assert result.reward == 1
                rewards.append(1)
                if result.done:
                    assert result.observation.total == 10
                    self.rewards = rewards
                    return env.base_url


async def test_a_killed_server_costs_exactly_the_episodes_that_ran_on_it(others: set[int]) -> None:
    processes, events = Processes(), Events()
    async with fleet_of(processes, events, 3, sessions_per_server=4) as fleet:
        players = [Player(fleet, f"e{number}") for number in range(12)]
        begun, going_on = asyncio.Barrier(13), asyncio.Event()
        playing = [asyncio.create_task(player.play(begun, going_on)) for player in players]
        await begun.wait()
        assert Tally(Tally(player.url for player in players).values()) == {4: 3}
        victim = players[0].url
        on_it = {player.name for player in players if player.url == victim}
        processes.kill(victim)
        await until(lambda: len(events.of("lost")) >= 4)
        going_on.set()
        ended_at = await asyncio.gather(*playing)

        assert {name for player in players for name in player.lost} == on_it
        assert {event.episode_id for event in events.of("lost")} == on_it
        assert [len(player.rewards) for player in players] == [10] * 12
        assert victim not in ended_at
        await until(lambda: fleet.status.taken == 0)
        episodes, sessions = fleet.status.episodes, fleet.status.sessions
        assert (episodes.begun, episodes.finished, episodes.lost, episodes.abandoned) == (16, 12, 4, 0)
        assert (sessions.begun, sessions.ended, sessions.lost) == (16, 12, 4)

        await until(lambda: fleet.status.ready == 3)
        (died,), (replaced,) = events.of("died"), events.of("replaced")
        assert died.url == victim
        assert f"in the place of {died.server}" in replaced.message
        later = [Player(fleet, f"later{number}") for number in range(12)]
        await asyncio.gather(*(player.play(asyncio.Barrier(1), going_on) for player in later))
        assert replaced.url in {player.url for player in later}
    assert new(others) == set()


async def test_a_server_that_hangs_is_found_and_replaced() -> None:
    processes, events = Processes(), Events()
    async with fleet_of(processes, events, 2, health_timeout_s=0.9) as fleet, fleet.session() as env, fleet.session() as other:
        await env.reset()
        await other.reset()
        assert env.base_url != other.base_url
        pid = processes.kill(env.base_url, signal.SIGSTOP)
        with pytest.raises(SessionLost, match=r"died: it does not answer .* for 0.9 s; its episode is gone: reset"):
            await env.step(Count(amount=1))
        assert (await env.reset(start=3)).observation.total == 3
        assert env.base_url == other.base_url
        assert (await other.step(Count(amount=2))).observation.total == 2
        await until(lambda: fleet.status.ready == 2 and not alive(pid))
        assert fleet.status.episodes.lost == len(events.of("lost")) == 1


@pytest.mark.long
async def test_a_provider_that_cannot_tell_is_no_hindrance() -> None:
    """Then it counts that nobody listens any more."""

    class Silent(Processes):
        def __call__(self) -> ProcessProvider:
            provider = super().__call__()
            provider.is_running = lambda: None  # type: ignore[method-assign, assignment, return-value]
            return provider

    processes, events = Silent(), Events()
    async with fleet_of(processes, events, 1, settled_after_s=0.01) as fleet, fleet.session() as env:
        await env.reset()
        processes.kill(env.base_url)
        with pytest.raises(SessionLost, match="died: nobody listens at its address any more"):
            await env.step(Count(amount=1))
        assert (await env.reset(start=1)).observation.total == 1
        assert fleet.status.episodes.lost == 1


@pytest.fixture(scope="module")
def shared() -> Iterator[Fleet[CounterEnv]]:
    """Two servers of eight slots each."""
    with fleet_of(Processes(OPENENV_MAX_CONCURRENT_ENVS="8"), servers=2, drain_timeout_s=0.5) as fleet:
        yield fleet


@pytest.fixture
async def fleet(shared: Fleet[CounterEnv]) -> AsyncIterator[Fleet[CounterEnv]]:
    yield shared
    await until(lambda: shared.status.taken == shared.status.waiting == 0)
    assert shared.status.sessions.open == shared.status.episodes.running == 0


async def test_sessions_of_threads_and_of_tasks_at_once(fleet: Fleet[CounterEnv]) -> None:
    """Each in a world of its own, thirty at a time on sixteen slots."""
    assert fleet.status.capacity == 16
    before = fleet.status.episodes

    def in_a_thread(start: int) -> tuple[int, str | None]:
        with fleet.sync().session() as env:
            env.reset(start=start)
            time.sleep(0.02)
            return env.step(Count(amount=1)).observation.total, env.async_client.base_url

    async def in_a_task(start: int) -> tuple[int, str | None]:
        async with fleet.session() as env:
            await env.reset(start=start)
            await asyncio.sleep(0.02)
            return (await env.step(Count(amount=1))).observation.total, env.base_url

    with ThreadPoolExecutor(15) as threads:
        loop = asyncio.get_running_loop()
        blocking = [loop.run_in_executor(threads, in_a_thread, start) for start in range(15)]
        found = await asyncio.gather(*blocking, *(in_a_task(start) for start in range(15)))
    assert [total for total, _ in found] == [*range(1, 16), *range(1, 16)]
    assert {url for _, url in found} == {server.url for server in fleet.status.servers}
    assert fleet.status.episodes.begun - before.begun == 30
    assert fleet.status.episodes.finished - before.finished == 2 * 6


async def test_lanes_take_so_many_slots_of_one_server(fleet: Fleet[CounterEnv]) -> None:
    before = fleet.status.episodes
    async with fleet.lanes(6, autoreset="same_step") as envs, fleet.session() as env:
        await envs.reset(start=8)
        await env.reset()
        assert sorted(server.taken for server in fleet.status.servers) == [1, 6]
        for _ in range(4):
            await envs.step([Count(amount=1)] * 6)
        now = fleet.status.episodes
        assert (now.begun - before.begun, now.finished - before.finished, now.running) == (6 * 3 + 1, 6 * 2, 7)
    with pytest.raises(CapacityReached, match="9 slots of one server were asked for, and a server of this fleet has 8"):
        await fleet.lanes(9).reset()


async def test_all_slots_taken(fleet: Fleet[CounterEnv]) -> None:
    """Who comes later waits in order, up to a timeout; who gives up while waiting takes nothing along."""
    async with fleet.lanes(8) as first, fleet.lanes(8) as second:
        await asyncio.gather(first.reset(), second.reset())
        with pytest.raises(CapacityReached, match=r"no session came free within 0.2 s: 16 of 16 slots of 2 servers are taken"):
            await fleet.session(queue_timeout_s=0.2).reset()
        order: list[int] = []

        async def wait(number: int) -> None:
            async with fleet.lanes(8):
                order.append(number)

        waiting = []
        for number in range(6):
            waiting.append(asyncio.create_task(wait(number)))
            await until(lambda taken=8 * (number + 1): fleet.status.waiting == taken)
        waiting[0].cancel()
        waiting[3].cancel()
        await until(lambda: fleet.status.waiting == 32)
        await second.close()
        await asyncio.gather(*waiting, return_exceptions=True)
        assert order == [1, 2, 4, 5]


async def test_a_task_cancelled_as_it_is_served_leaks_no_slot(fleet: Fleet[CounterEnv]) -> None:
    """At every moment between asking and having, a few of each."""
    for moment in range(60):
        opening: asyncio.Task[Any] = asyncio.create_task(fleet.session()._connected())
        await asyncio.sleep(moment * 0.0002)
        opening.cancel()
        done = await asyncio.gather(opening, return_exceptions=True)
        if isinstance(done[0], CounterEnv):
            await done[0].close()


async def test_a_client_that_is_dropped_gives_its_slot_back(fleet: Fleet[CounterEnv]) -> None:
    await fleet.session().connect()
    with ThreadPoolExecutor(1) as thread:
        thread.submit(lambda: [fleet.sync().session().reset()].clear()).result()
    await until(lambda: fleet.status.taken == 0)


async def test_the_number_follows_the_load_and_draining_costs_nothing(others: set[int]) -> None:
    events = Events()
    options: dict[str, Any] = {"min_servers": 1, "max_servers": 3, "sessions_per_server": 2, "target_load": 1.0, "calm_s": 0.5}
    async with fleet_of(Processes(), events, **options) as fleet:
        assert fleet.status.ready == 1
        envs = [fleet.session() for _ in range(6)]
        await asyncio.gather(*(env.reset(start=1) for env in envs))
        assert (fleet.status.ready, fleet.status.taken) == (3, 6)

        for env in envs[:4]:
            await env.close()
        staying = envs[4:]
        await until(lambda: len(events.of("draining")) == 2)
        (there,) = {server.url for server in fleet.status.servers if server.state == "ready"}
        assert [(await env.step(Count(amount=9))).done for env in staying] == [True, True]
        assert [(await env.reset(start=2)).observation.total for env in staying] == [2, 2]
        assert {env.base_url for env in staying} == {there}
        await until(lambda: len(fleet.status.servers) == 1)
        assert events.of("lost") == []

        await fleet.scale(2)
        assert fleet.status.ready == 2
        await asyncio.gather(*(env.close() for env in staying))
    episodes, sessions = fleet.status.episodes, fleet.status.sessions
    assert (episodes.begun, episodes.finished, episodes.lost) == (8, 2, 0)
    assert sessions.begun == sessions.ended
    assert new(others) == set()


async def test_an_episode_that_outlasts_the_draining_is_lost(fleet: Fleet[CounterEnv]) -> None:
    before = fleet.status.episodes
    async with fleet.session() as env, fleet.session() as other:
        await asyncio.gather(env.reset(), other.reset())
        await fleet.scale(1)
        await until(lambda: fleet.status.episodes.lost > before.lost)
        stays, goes = sorted((env, other), key=lambda client: client.base_url == fleet.status.servers[0].url, reverse=True)
        with pytest.raises(SessionLost, match=r"stopped after 0\.5 s with sessions on it"):
            await goes.step(Count(amount=1))
        assert (await stays.step(Count(amount=1))).observation.total == 1
        assert (await goes.reset(start=4)).observation.total == 4
        assert goes.base_url == stays.base_url
    await fleet.scale(2)
    assert fleet.status.episodes.lost == before.lost + 1


def test_a_provider_that_cannot_start_says_so_once_and_leaves_nothing(others: set[int]) -> None:
    events, threads = Events(), set(threading.enumerate())
    processes = Processes("nowhere.server:app")
    with pytest.raises(LaunchError, match=r"before it answered; its last output:\n  .*cannot import nowhere"):
        fleet_of(processes, events, 3).start()
    assert len(processes.made) == len(events.of("failed")) == 3
    assert new(others) == set()
    assert set(threading.enumerate()) <= threads


async def test_servers_that_come_up_no_more_end_in_a_clear_error() -> None:
    good, bad, events = Processes(), Processes("nowhere.server:app"), Events()
    first = iter([good])
    async with fleet_of(lambda: next(first, bad)(), events, 1, start_attempts=2) as fleet, fleet.session() as env:
        await env.reset()
        await asyncio.sleep(0.6)
        good.kill(env.base_url)
        told = r"2 servers in a row did not start .* the last: [\s\S]*cannot import nowhere"
        with pytest.raises(SessionLost):
            await env.step(Count(amount=1))
        with pytest.raises(LaunchError, match=told):
            await env.reset()
        with pytest.raises(LaunchError, match=told):
            await fleet.session().connect()
        assert (len(bad.made), len(events.of("failed")), len(events.of("given_up"))) == (2, 2, 1)
        first = iter([good])
        await fleet.scale(1)
        assert (await env.reset(start=5)).observation.total == 5


@pytest.mark.long
async def test_servers_that_end_soon_after_their_start_end_in_a_clear_error() -> None:
    """They start well, and stop once nobody has used them for half a second."""
    processes, events = Processes(OPENENV_UNUSED_TIMEOUT_S="0.5"), Events()
    async with fleet_of(processes, events, 1, start_attempts=3, settled_after_s=60.0) as fleet:
        await until(lambda: events.of("given_up"), 60)
        assert (len(processes.made), len(events.of("died"))) == (3, 3)
        told = r"3 servers in a row did not start or ended at once.*the last: server-3 at \S+ died: its process has ended"
        with pytest.raises(LaunchError, match=told):
            await fleet.session().connect()


async def test_closing_ends_what_goes_on_and_whoever_waits(others: set[int]) -> None:
    fleet = fleet_of(Processes(), servers=1, sessions_per_server=1)
    await fleet.start()
    env = fleet.session()
    await env.reset()
    waiting = asyncio.create_task(fleet.session()._connected())
    with ThreadPoolExecutor(1) as thread:
        blocking = thread.submit(lambda: fleet.sync().session().connect())
        await until(lambda: fleet.status.waiting == 2)
        await fleet.close()
        for asked in (waiting, asyncio.wrap_future(blocking)):
            with pytest.raises(UsageError, match="the fleet was closed"):
                await asked
    with pytest.raises(SessionLost, match="the fleet was closed and its episode ended"):
        await env.step(Count(amount=1))
    with pytest.raises(UsageError, match="not running: start it"):
        await env.reset()
    assert (fleet.status.episodes.abandoned, fleet.status.episodes.lost) == (1, 0)
    await fleet.close()
    async with fleet, fleet.session() as again:
        assert (await again.reset(start=2)).observation.total == 2
    assert new(others) == set()


async def test_a_server_that_does_not_stop_holds_up_nobody(caplog: pytest.LogCaptureFixture, others: set[int]) -> None:
    released = threading.Event()

    class Hanging(ProcessProvider):
        def stop(self) -> None:
            released.wait(20)
            super().stop()

    processes = Processes()
    hanging = iter([Hanging("serving_counter:app", env_vars=PATH)])
    fleet = fleet_of(lambda: next(hanging, None) or processes(), servers=2, close_timeout_s=4.0)
    await fleet.start()
    with caplog.at_level(logging.WARNING, "openenv.fleet"):
        async with asyncio.timeout(15):
            await fleet.close()
    assert "did not stop within 4 s and is left" in caplog.text
    assert len(new(others)) == 1
    released.set()
    await until(lambda: not new(others))


TRAINER = """
    import signal, sys, time
    from counting import CounterEnv
    from openenv.launch.process import ProcessProvider
    from openenv.rollout import Fleet

    print("going", flush=True)
    with Fleet(CounterEnv, ProcessProvider("serving_counter:app"), servers=2) as fleet:
        envs = [fleet.session() for _ in range(2)]
        for env in envs:
            env.reset()
        print("playing", flush=True)
        time.sleep(100)
"""
AT_THE_END = (
    TRAINER.replace("with Fleet(", "fleet = Fleet(").replace(" as fleet:", ".start()\n    if True:").replace("(100)", "(0)")
)


UNCLOSED = {"with Fleet(": "fleet = Fleet(", " as fleet:": ".start()\n    if True:", "sleep(100)": "sleep(0)"}


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
@pytest.mark.parametrize(
    ("when", "number"),
    [
        ("starting", signal.SIGINT),
        pytest.param("playing", signal.SIGINT, marks=pytest.mark.long),
        pytest.param("playing", signal.SIGKILL, marks=pytest.mark.long),
        pytest.param("ending", 0, marks=pytest.mark.long),
    ],
)
def test_a_trainer_s_end_leaves_nothing(when: str, number: int) -> None:
    program = TRAINER
    for text, instead in UNCLOSED.items() if when == "ending" else ():
        program = program.replace(text, instead)
    path = os.pathsep.join(filter(None, [PATH["PYTHONPATH"], os.environ.get("PYTHONPATH", "")]))
    command = [sys.executable, "-W", "error", "-c", textwrap.dedent(program)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env={**os.environ, "PYTHONPATH": path}) as trainer:
        assert trainer.stdout is not None
        assert trainer.stdout.readline() == "going\n"
        if when == "starting":
            wait_until(lambda: len(below(trainer.pid)) == 2, 20)
        else:
            assert trainer.stdout.readline() == "playing\n"
        servers = below(trainer.pid)
        if number:
            trainer.send_signal(number)
        _, log = trainer.communicate(timeout=30)
    assert log.strip().splitlines()[-1:] == (["KeyboardInterrupt"] if number == signal.SIGINT else [])
    wait_until(lambda: not any(map(alive, servers)), 20)


async def test_what_cannot_be_is_said() -> None:
    provider = ProcessProvider("serving_counter:app")
    for options, told in [
        ({}, "say how many: servers=4"),
        ({"servers": 2, "max_servers": 3}, "not both"),
        ({"servers": 0}, "a whole number above 0, not 0"),
        ({"min_servers": 3, "max_servers": 2}, "min_servers=3 is more than max_servers=2"),
        ({"servers": 1, "sessions_per_server": 0}, "sessions_per_server is a whole number above 0"),
        ({"servers": 1, "patience": 3}, "a fleet takes no patience: it takes calm_s, "),
        ({"servers": 1, "queue_timeout_s": 0}, "queue_timeout_s must be a number above 0"),
        ({"servers": 1, "target_load": 2}, "at most 1"),
        ({"servers": 1, "starts_at_once": 1.5}, "starts_at_once must be a whole number, but is 1.5"),
        (
            {"servers": 1, "client_options": {"message_timout_s": 3}},
            "a session of CounterEnv takes no message_timout_s: it takes connect_timeout_s, headers, .*, message_timeout_s, ",
        ),
        ({"servers": 1, "client_options": {"base_url": "http://there"}}, "a session of CounterEnv takes no base_url: it takes"),
        ({"servers": 1, "client_options": {"message_timeout_s": -1}}, "a number of seconds above 0, not -1"),
        ({"servers": 1, "client_options": {"max_message_size_mb": None}}, "CounterEnv cannot be made with .*None"),
        ({"servers": 1, "client_options": "headers"}, "client_options are named, .* and not 'headers'"),
    ]:
        with pytest.raises(UsageError, match=told):
            Fleet(CounterEnv, provider, **options)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="CounterEnv names no server"):
        Fleet(CounterEnv, servers=1)
    fleet = Fleet(CounterEnv, provider, 1)
    with pytest.raises(UsageError, match="not running: start it"):
        await fleet.session().reset()
    with pytest.raises(UsageError, match="not running: start it"):
        await fleet.scale(2)
    await fleet.close()


@pytest.mark.docker
async def test_a_killed_container_costs_its_episodes_and_is_replaced(engine: Any, counter_image: str) -> None:
    events = Events()
    pattern = Container(LocalDockerProvider(), counter_image, env_vars={"OPENENV_MAX_CONCURRENT_ENVS": "4"})
    async with fleet_of(pattern.another, events, 2) as fleet:
        assert fleet.status.capacity == 8
        async with fleet.session() as env, fleet.session() as other:
            await asyncio.gather(env.reset(episode_id="a"), other.reset(episode_id="b"))
            victims = [name for name in left(engine, MINE) if _port(engine, name) in str(env.base_url)]
            engine.api.kill(victims[0].strip("/"))
            with pytest.raises(SessionLost, match="died: its process has ended"):
                await env.step(Count(amount=1))
            assert (await other.step(Count(amount=2))).observation.total == 2
            assert (await env.reset(start=3)).observation.total == 3
            await until(lambda: fleet.status.ready == 2, 60)
        assert [event.episode_id for event in events.of("lost")] == ["a"]
    assert left(engine, MINE) == set()


def _port(engine: Any, name: str) -> str:
    ports = engine.api.inspect_container(name.strip("/"))["NetworkSettings"]["Ports"]
    return f":{ports['8000/tcp'][0]['HostPort']}"

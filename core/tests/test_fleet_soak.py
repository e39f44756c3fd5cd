"""Minutes of kills: every session and every episode is accounted for, and nothing is left."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest
from counting import Count, CounterEnv
from fleets import Events, Processes, fleet_of
from serving import wait_until
from soak import below, vitals

from openenv.errors import BusyError, ConnectError, SessionLost
from openenv.rollout import Fleet

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

ONE_MORE = Count(amount=1, sleep_s=0.01)
SIGNALS = (signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGSTOP)


@dataclass
class Tally:
    """What the players saw."""

    begun: int = 0
    finished: int = 0
    lost: int = 0
    rewards: float = 0.0


class Players:
    """Play one episode after the other, until told to stop: each ends with an episode that is over."""

    def __init__(self, fleet: Fleet[CounterEnv]) -> None:
        self._fleet = fleet
        self._turn = threading.Lock()
        self.seen = Tally()
        self.over = False

    def see(self, **counts: float) -> None:
        with self._turn:
            for name, count in counts.items():
                setattr(self.seen, name, getattr(self.seen, name) + count)

    async def play(self) -> None:
        env = self._fleet.session()
        while not self.over:
            try:
                await env.reset()
            except (SessionLost, ConnectError, BusyError):
                continue
            self.see(begun=1)
            while await self._step(env):
                pass
        await env.close()

    async def _step(self, env: CounterEnv) -> bool:
        try:
            result = await env.step(ONE_MORE)
        except SessionLost:
            self.see(lost=1)
            return False
        except BusyError:
            await asyncio.sleep(0.05)
            return True
        assert result.reward is not None
        if result.done:
            assert result.observation.total == 10
            self.see(finished=1, rewards=result.observation.total)
        return not result.done

    def play_blocking(self) -> None:
        env = self._fleet.sync().session()
        while not self.over:
            try:
                env.reset()
            except (SessionLost, ConnectError, BusyError):
                continue
            self.see(begun=1)
            done = False
            while not done:
                try:
                    done = env.step(ONE_MORE).done
                except SessionLost:
                    self.see(lost=1)
                    break
                except BusyError:
                    time.sleep(0.05)
            if done:
                self.see(finished=1, rewards=10)
        env.close()


async def soak(seconds: float, capsys: pytest.CaptureFixture[str]) -> None:
    """Kill, hang and stop servers of a fleet that is played on, and compare its account with the players'."""
    chance, events, processes = random.Random(7), Events(), Processes()
    loop = asyncio.get_running_loop()
    options: dict[str, Any] = {
        "sessions_per_server": 8,
        "health_timeout_s": 1.5,
        "start_attempts": 100,
        "longest_backoff_s": 0.2,
    }
    killed: list[int] = []
    async with fleet_of(processes, events, 3, **options) as fleet:
        players = Players(fleet)
        with ThreadPoolExecutor(4) as threads:
            playing = [asyncio.create_task(players.play()) for _ in range(16)]
            playing += [asyncio.ensure_future(loop.run_in_executor(threads, players.play_blocking)) for _ in range(4)]
            until = time.monotonic() + seconds
            while time.monotonic() < until:
                await asyncio.sleep(chance.uniform(0.5, 5.0))
                ready = [server.url for server in fleet.status.servers if server.state == "ready"]
                if ready:
                    killed.append(processes.kill(chance.choice(ready), chance.choice(SIGNALS)))
            players.over = True
            await asyncio.gather(*playing)
    episodes, sessions, seen = fleet.status.episodes, fleet.status.sessions, players.seen
    with capsys.disabled():
        print(f"\n{seconds:g} s, {len(killed)} servers killed, hung or stopped, {len(processes.made)} started")
        print(f"{sessions}\n{episodes}\n{seen}")
    assert (episodes.begun, episodes.finished, episodes.lost) == (seen.begun, seen.finished, seen.lost)
    assert (episodes.running, episodes.abandoned, sessions.open) == (0, 0, 0)
    assert seen.rewards == 10 * episodes.finished
    assert len(events.of("lost")) == episodes.lost
    assert len(killed) == len(events.of("died"))


async def soaked(seconds: float, capsys: pytest.CaptureFixture[str]) -> None:
    await soak(1.0, capsys)  # what is made once and kept
    children, before = below(os.getpid()), vitals(os.getpid())
    await soak(seconds, capsys)
    wait_until(lambda: set(below(os.getpid())) <= set(children), 20)
    wait_until(lambda: vitals(os.getpid()).threads <= before.threads, 20)
    wait_until(lambda: vitals(os.getpid()).descriptors <= before.descriptors, 20)


@pytest.mark.long
@pytest.mark.timeout(900)
async def test_minutes_of_kills_are_accounted_for(capsys: pytest.CaptureFixture[str]) -> None:
    await soaked(180.0, capsys)

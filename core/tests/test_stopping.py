"""A server that is told to stop finishes what runs, closes its environments, and says so to everybody else."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from counting import Count, Counter, CounterEnv
from server_process import SERVE, ServerProcess
from serving import running, wait_until

from openenv.errors import SessionLost, ShuttingDown
from openenv.server import create_app

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="stops by signal")


class Server(ServerProcess):
    """A server of `Lingering`."""

    def __init__(self, folder: Path, **settings: str) -> None:
        super().__init__(folder, *SERVE, "lingering:app", "--port", "0", **settings)


@pytest.fixture
def servers() -> Iterator[list[Server]]:
    started: list[Server] = []
    yield started
    for server in started:
        server.kill()


async def test_calls_in_flight_finish_and_environments_close(servers: list[Server], tmp_path: Path) -> None:
    server = Server(tmp_path)
    servers.append(server)
    async with CounterEnv(base_url=server.url) as busy, CounterEnv(base_url=server.url) as idle:
        await asyncio.gather(busy.reset(), idle.reset())
        in_flight = asyncio.ensure_future(busy.step(Count(amount=5, sleep_s=1.0)))
        await asyncio.to_thread(wait_until, lambda: "step" in server.events())
        server.process.send_signal(signal.SIGTERM)
        async with httpx.AsyncClient(trust_env=False) as http:
            while (await http.get(f"{server.url}/health")).is_success:
                await asyncio.sleep(0.01)
        with pytest.raises(ShuttingDown):
            await idle.step(Count(amount=1))
        with pytest.raises(ShuttingDown):
            await CounterEnv(base_url=server.url).reset()
        assert (await in_flight).observation.total == 5
        code, _ = await asyncio.to_thread(server.wait)
        assert code == 0
        assert server.events() == ["step", "closed", "closed"]
        with pytest.raises(SessionLost):
            await busy.step(Count(amount=1))


def test_a_stuck_call_is_logged_and_does_not_hold_up_the_end(servers: list[Server], tmp_path: Path) -> None:
    server = Server(tmp_path, OPENENV_DRAIN_TIMEOUT_S="0.3", OPENENV_CLOSE_TIMEOUT_S="0.3")
    servers.append(server)
    stuck, well = CounterEnv(base_url=server.url).sync(), CounterEnv(base_url=server.url).sync()
    stuck.reset()
    well.reset()
    with pytest.raises(TimeoutError):
        stuck.step(Count(sleep_s=60), timeout_s=0.1)
    with pytest.raises(RuntimeError, match=r"reset\(\)"):
        stuck.step(Count())
    began = time.monotonic()
    server.process.send_signal(signal.SIGTERM)
    code, log = server.wait()
    assert code == 0
    assert time.monotonic() - began < 10
    assert "still runs" in log
    assert "did not close" in log
    assert server.events() == ["step", "closed"]
    stuck.close()
    well.close()


def test_a_second_signal_ends_at_once(servers: list[Server], tmp_path: Path) -> None:
    server = Server(tmp_path)
    servers.append(server)

    async def play() -> None:
        env = await CounterEnv(base_url=server.url)
        await env.reset()
        step = asyncio.ensure_future(env.step(Count(sleep_s=60)))
        await asyncio.to_thread(wait_until, lambda: "step" in server.events())
        server.process.send_signal(signal.SIGTERM)
        await asyncio.sleep(0.3)
        assert server.process.poll() is None
        began = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        code, _ = await asyncio.to_thread(server.wait)
        assert code == 128 + signal.SIGTERM
        assert time.monotonic() - began < 2
        step.cancel()
        await env.close()

    asyncio.run(play())


def test_an_app_may_be_served_again() -> None:
    app = create_app(Counter)
    for _ in range(2):
        with running(app) as url, CounterEnv(url).sync() as env:
            env.reset()
            assert env.step(Count(amount=2)).observation.total == 2

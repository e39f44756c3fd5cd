"""More clients than slots: who gets in, in which order, how many at once, and what becomes of those who leave the queue."""

from __future__ import annotations

import asyncio
import http.client
import json
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, ClassVar

import pytest
import websockets
from counting import Count, Counter, CounterEnv, Total
from serving import running, wait_until

from openenv.errors import CapacityReached, StepTimeout
from openenv.server import create_app


class Census:
    """How many there are of something, and how many there were at most."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self.now = self.most = self.ever = 0

    def more(self) -> None:
        with self._turn:
            self.now += 1
            self.ever += 1
            self.most = max(self.most, self.now)

    def less(self) -> None:
        with self._turn:
            self.now -= 1


class Counted(Counter):
    """A counter that is counted itself: while it is built, and from then until it is closed."""

    building: ClassVar[Census]
    living: ClassVar[Census]
    served: ClassVar[list[str]]
    build_s: ClassVar[float]

    def __init__(self) -> None:
        Counted.living.more()
        Counted.building.more()
        time.sleep(Counted.build_s)
        super().__init__()
        Counted.building.less()

    def reset(self, seed: int | None = None, episode_id: str | None = None, *, start: int = 0) -> Total:
        Counted.served.append(str(episode_id))
        return super().reset(seed, episode_id, start=start)

    def close(self) -> None:
        super().close()
        Counted.living.less()


@pytest.fixture(autouse=True)
def nobody_yet() -> Iterator[None]:
    Counted.building, Counted.living, Counted.served, Counted.build_s = Census(), Census(), [], 0.0
    yield
    wait_until(lambda: Counted.living.now == 0)


def displacement(served: list[str]) -> int:
    """The most places by which anyone was served earlier or later than they came; they are named 0, 1, 2, …"""
    return max(abs(place - int(name)) for place, name in enumerate(served))


async def until(condition: Callable[[], bool]) -> None:
    await asyncio.to_thread(wait_until, condition, 10)


async def episode(env: CounterEnv, name: int) -> int:
    await env.reset(episode_id=str(name), start=-100 * name)
    for _ in range(2):
        result = await env.step(Count(amount=1, sleep_s=0.005))
    await env.close()
    return result.observation.total


@pytest.mark.parametrize(("slots", "clients", "starting"), [(32, 500, 8), (8, 100, 1), (1, 40, 8)])
async def test_a_burst_is_served_in_order_of_arrival_and_nobody_starves(slots: int, clients: int, starting: int) -> None:
    app = create_app(Counted, max_concurrent_envs=slots, max_starting_envs=starting)
    with running(app) as url:
        envs = [CounterEnv(base_url=url, connect_timeout_s=60) for _ in range(clients)]
        await asyncio.gather(*(env.connect() for env in envs))
        assert (len(app.state.registry), app.state.registry.slots_taken) == (clients, 0)
        totals = await asyncio.gather(*(episode(env, name) for name, env in enumerate(envs)))
        assert totals == [2 - 100 * name for name in range(clients)]
        await until(lambda: app.state.registry.slots_taken == 0)
    assert (Counted.living.ever, Counted.living.most) == (clients, slots)
    assert Counted.building.most <= starting
    assert sorted(map(int, Counted.served)) == list(range(clients))
    # Slots go out in order of arrival; those who hold one together build and reset in threads, which may overtake.
    assert displacement(Counted.served) < slots


@pytest.mark.parametrize("starting", [1, 3])
async def test_no_more_are_built_at_once_than_may_start_also_when_some_leave_meanwhile(starting: int) -> None:
    Counted.build_s = 0.04
    app = create_app(Counted, max_concurrent_envs=24, max_starting_envs=starting)
    with running(app) as url:
        envs = [CounterEnv(base_url=url) for _ in range(24)]
        calls = [asyncio.ensure_future(env.reset(timeout_s=0.05 if name % 3 == 0 else 60)) for name, env in enumerate(envs)]
        outcomes = await asyncio.gather(*calls, return_exceptions=True)
        late = [name for name, outcome in enumerate(outcomes) if isinstance(outcome, BaseException)]
        assert late
        assert {name % 3 for name in late} == {0}
        assert all(isinstance(outcomes[name], StepTimeout) for name in late)
        await asyncio.gather(*(env.close() for env in envs))
        await until(lambda: app.state.registry.slots_taken == 0)
    assert Counted.building.most == starting


async def test_an_environment_given_up_while_it_is_built_keeps_its_slot_until_it_is_closed() -> None:
    Counted.build_s = 0.15
    app = create_app(Counted, max_concurrent_envs=2)
    with running(app) as url:
        for _ in range(3):
            envs = [CounterEnv(base_url=url) for _ in range(4)]
            late = await asyncio.gather(*(env.reset(timeout_s=0.05) for env in envs), return_exceptions=True)
            assert all(isinstance(error, StepTimeout) and error.details["started"] is False for error in late)
            await asyncio.gather(*(env.close() for env in envs))
        async with CounterEnv(base_url=url) as env:
            assert (await env.reset()).observation.label == "start"
        await until(lambda: app.state.registry.slots_taken == 0)
    assert Counted.living.ever >= 3
    assert Counted.living.most == 2


async def test_who_waited_too_long_is_told_when_to_come_again() -> None:
    app = create_app(Counted, max_concurrent_envs=1, queue_timeout_s=1.2)
    with running(app) as url:
        async with CounterEnv(base_url=url) as holder, CounterEnv(base_url=url) as newcomer:
            await holder.reset()
            began = time.monotonic()
            with pytest.raises(CapacityReached, match=r"all 1 sessions .* none came free within 1\.2 s") as refused:
                await newcomer.reset()
            assert 1.1 < time.monotonic() - began < 3
            assert (refused.value.retryable, refused.value.retry_after_s) == (True, 1.2)
            status, headers, content = await asyncio.to_thread(post_reset, url)
            assert (status, headers["Retry-After"]) == (503, "2")
            assert (content["code"], content["retry_after_s"]) == ("CAPACITY_REACHED", 1.2)
            assert (content["max_sessions"], content["active_sessions"]) == (1, 1)
            assert app.state.registry.slots_awaited == 0
            waiting = asyncio.ensure_future(newcomer.reset())
            await until(lambda: app.state.registry.slots_awaited == 1)
            await holder.close()
            assert (await waiting).observation.label == "start"


def post_reset(url: str) -> tuple[int, Any, Any]:
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=10)
    connection.request("POST", "/reset", "{}")
    reply = connection.getresponse()
    content = json.loads(reply.read())
    connection.close()
    return reply.status, reply.headers, content


Leaving = Callable[[str, Callable[[], Awaitable[None]]], Awaitable[None]]


async def close_v2(url: str, queued: Callable[[], Awaitable[None]]) -> None:
    env = CounterEnv(base_url=url)
    call = asyncio.ensure_future(env.reset())
    await queued()
    await env.close()
    with pytest.raises(RuntimeError):
        await call


async def cancel_v2(url: str, queued: Callable[[], Awaitable[None]]) -> None:
    async with CounterEnv(base_url=url) as env:
        call = asyncio.ensure_future(env.reset())
        await queued()
        call.cancel()
        await asyncio.wait([call])
        assert call.cancelled()


async def time_out_v2(url: str, queued: Callable[[], Awaitable[None]]) -> None:
    async with CounterEnv(base_url=url) as env:
        call = asyncio.ensure_future(env.reset(timeout_s=0.5))
        await queued()
        with pytest.raises(StepTimeout) as late:
            await call
        assert late.value.details["started"] is False


async def vanish_v2(url: str, queued: Callable[[], Awaitable[None]]) -> None:
    async with websockets.connect(f"ws{url[4:]}/ws", subprotocols=[websockets.Subprotocol("openenv.v2.json")]) as socket:
        await socket.recv()
        await socket.send('{"type":"reset","id":1}')
        await queued()
        socket.transport.abort()


async def vanish_v1(url: str, queued: Callable[[], Awaitable[None]]) -> None:
    async with websockets.connect(f"ws{url[4:]}/ws") as socket:
        await queued()
        socket.transport.abort()


async def vanish_v1_after_asking(url: str, queued: Callable[[], Awaitable[None]]) -> None:
    async with websockets.connect(f"ws{url[4:]}/ws") as socket:
        await socket.send('{"type":"reset"}')
        await queued()
        socket.transport.abort()


async def close_v1_after_asking(url: str, queued: Callable[[], Awaitable[None]]) -> None:
    async with websockets.connect(f"ws{url[4:]}/ws") as socket:
        await socket.send('{"type":"reset"}')
        await queued()


async def vanish_http(url: str, queued: Callable[[], Awaitable[None]], body: bytes = b"{}") -> None:
    host, _, port = url.removeprefix("http://").partition(":")
    _, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"POST /reset HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n\r\n%s" % (host.encode(), len(body), body))
    await writer.drain()
    await queued()
    writer.transport.abort()


async def vanish_http_named(url: str, queued: Callable[[], Awaitable[None]]) -> None:
    await vanish_http(url, queued, b'{"request_id":"mine"}')


WAYS: list[Leaving] = [
    close_v2,
    cancel_v2,
    time_out_v2,
    vanish_v2,
    vanish_v1,
    vanish_v1_after_asking,
    close_v1_after_asking,
    vanish_http,
    vanish_http_named,
]


@pytest.mark.parametrize("leave", WAYS, ids=lambda way: way.__name__)
async def test_who_leaves_the_queue_gives_up_the_place(leave: Leaving) -> None:
    app = create_app(Counted, max_concurrent_envs=1, resume_window_s=0.2)
    registry = app.state.registry
    with running(app) as url:
        async with CounterEnv(base_url=url) as holder, CounterEnv(base_url=url) as patient:
            await holder.reset()

            async def queued() -> None:
                await until(lambda: registry.slots_awaited == 1)

            await leave(url, queued)
            await until(lambda: registry.slots_awaited == 0)
            await until(lambda: len(registry) <= 2)
            waiting = asyncio.ensure_future(patient.reset())
            await queued()
            await holder.close()
            assert (await waiting).observation.label == "start"
        await until(lambda: len(registry) == 0 and registry.slots_taken == 0)
    assert Counted.living.ever == 2

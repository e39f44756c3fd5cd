"""The socket, frame by frame, as a client of any language meets it."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest
import websockets
from counting import Count, Counter, CounterEnv, SoloCounter, Total
from serving import running, wait_until
from websockets.exceptions import ConnectionClosedOK

from openenv.errors import CapacityReached, ExecutionError, FactoryError, UsageError
from openenv.server import create_app


async def exchange(socket: Any, message: Any) -> Any:
    await socket.send(message if isinstance(message, str | bytes) else json.dumps(message))
    return json.loads(await asyncio.wait_for(socket.recv(), 10))


def socket_url(url: str) -> str:
    return f"ws{url.removeprefix('http')}/ws"


async def test_frames_are_as_published(counter_url: str) -> None:
    async with websockets.connect(socket_url(counter_url)) as socket:
        assert await exchange(socket, {"type": "state"}) == {
            "type": "state",
            "data": {"episode_id": None, "step_count": 0, "total": 0, "seed": None, "start": 0},
        }
        reply = await exchange(socket, {"type": "reset"})
        assert reply.keys() == {"type", "data"}
        assert reply["data"].keys() == {"observation", "reward", "done"}
        assert (reply["type"], reply["data"]["reward"], reply["data"]["done"]) == ("observation", None, False)
        assert reply["data"]["observation"].keys() == {"metadata", "total", "label", "value", "values", "thread"}
        reply = await exchange(socket, {"type": "step", "data": {"amount": 12, "metadata": {"note": 1}}})
        assert (reply["data"]["reward"], reply["data"]["done"], reply["data"]["terminated"]) == (12, True, True)
        await socket.send('{"type":"close"}')
        with pytest.raises(ConnectionClosedOK) as closed:
            await asyncio.wait_for(socket.recv(), 5)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1000


async def test_every_mistake_is_answered_and_the_session_goes_on(counter_url: str) -> None:
    mistakes: list[tuple[Any, str]] = [
        ("not json", "INVALID_JSON"),
        (b"\xff\x00", "INVALID_JSON"),
        ("[1]", "INVALID_JSON"),
        ('{"type":"dance"}', "UNKNOWN_TYPE"),
        ('{"type":"step"}', "VALIDATION_ERROR"),
        ('{"type":"step","data":{"amount":"x"}}', "VALIDATION_ERROR"),
        ('{"type":"state","data":{}}', "VALIDATION_ERROR"),
        ('{"type":"reset","id":4}', "VALIDATION_ERROR"),
        ('{"type":"step","data":{"amount":-1}}', "EXECUTION_ERROR"),
        ('{"type":"step","data":' + "[" * 5000 + "]" * 5000 + "}", "INVALID_JSON"),
    ]
    async with websockets.connect(socket_url(counter_url)) as socket:
        await exchange(socket, {"type": "reset"})
        await exchange(socket, {"type": "step", "data": {"amount": 1}})
        for frame, code in mistakes:
            reply = await exchange(socket, frame)
            assert (reply["type"], reply["data"]["code"]) == ("error", code), frame
            assert reply["data"]["message"]
        reply = await exchange(socket, {"type": "step", "data": {"amount": 1}})
        assert reply["data"]["observation"]["total"] == 2


async def test_a_newcomer_waits_for_a_slot_and_is_told_when_there_is_none() -> None:
    with running(create_app(Counter, max_concurrent_envs=1, queue_timeout_s=0.3)) as url:
        first = CounterEnv(base_url=url)
        await first.reset()
        async with websockets.connect(socket_url(url)) as socket:
            unasked = json.loads(await asyncio.wait_for(socket.recv(), 5))
            assert (unasked["type"], unasked["data"]["code"]) == ("error", "CAPACITY_REACHED")
            with pytest.raises(ConnectionClosedOK):
                await asyncio.wait_for(socket.recv(), 5)
        late = CounterEnv(base_url=url)
        with pytest.raises(CapacityReached) as refused:
            await late.reset()
        assert refused.value.retryable
        assert refused.value.retry_after_s == 1.0
        await late.close()
        waiting = asyncio.ensure_future(CounterEnv(base_url=url).reset())
        await asyncio.sleep(0.05)
        await first.close()
        assert (await waiting).observation.label == "start"


async def test_health_answers_while_every_session_is_busy() -> None:
    with running(create_app(Counter, max_concurrent_envs=2)) as url:
        async with CounterEnv(base_url=url) as one, CounterEnv(base_url=url) as two, httpx.AsyncClient() as http:
            await asyncio.gather(one.reset(), two.reset())
            busy = [asyncio.ensure_future(env.step(Count(sleep_s=0.6))) for env in (one, two)]
            await asyncio.sleep(0.1)
            reply = await asyncio.wait_for(http.get(f"{url}/health"), 0.4)
            assert reply.json() == {"status": "healthy"}
            assert not any(task.done() for task in busy)
            await asyncio.gather(*busy)


async def test_a_socket_that_goes_away_gives_its_environment_back() -> None:
    with running(create_app(Counter, max_concurrent_envs=1, queue_timeout_s=5)) as url:
        alive = Counter.count_from_now()
        for _ in range(5):
            socket = await websockets.connect(socket_url(url))
            await exchange(socket, {"type": "reset"})
            await socket.send(json.dumps({"type": "step", "data": {"sleep_s": 0.05}}))
            socket.transport.abort()
            await socket.wait_closed()
        async with CounterEnv(base_url=url) as env:
            await env.reset()
        wait_until(lambda: alive() == 0)


async def test_an_instance_serves_one_session_after_another() -> None:
    alive = Counter.count_from_now()
    one = Counter()
    with running(create_app(one, queue_timeout_s=2)) as url:
        for start in (1, 2):
            async with CounterEnv(base_url=url) as env:
                assert (await env.reset(start=start)).observation.total == start
    assert one.state.start == 2
    assert alive() == 0


async def test_an_environment_that_cannot_be_built_says_so() -> None:
    class Broken(Counter):
        def __init__(self) -> None:
            raise OSError("no display")

    with running(create_app(Broken, max_concurrent_envs=1)) as url:
        for _ in range(3):
            env = CounterEnv(base_url=url)
            with pytest.raises(FactoryError, match="no display"):
                await env.reset()
            await env.close()
        with CounterEnv(base_url=url).sync() as connected_before:
            await asyncio.sleep(0.2)
            for _ in range(2):
                with pytest.raises(FactoryError, match="no display"):
                    connected_before.reset()


def test_more_sessions_than_an_environment_can_have_are_refused() -> None:
    with pytest.raises(UsageError, match="SUPPORTS_CONCURRENT_SESSIONS"):
        create_app(SoloCounter, max_concurrent_envs=2)
    with pytest.raises(UsageError, match="one instance"):
        create_app(Counter(), max_concurrent_envs=2)
    with pytest.raises(UsageError, match="at least 1"):
        create_app(Counter, max_concurrent_envs=0)
    assert create_app(SoloCounter).state.registry.capacity == 1
    assert create_app(Counter).state.registry.capacity > 1


def test_settings_come_from_the_environment_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENENV_MAX_CONCURRENT_ENVS", "7")
    monkeypatch.setenv("OPENENV_HTTP_DEFAULT_SESSION", "off")
    registry = create_app(Counter, queue_timeout_s=3).state.registry
    assert (registry.capacity, registry.settings.queue_timeout_s, registry.settings.http_default_session) == (7, 3, False)
    assert create_app(Counter, max_concurrent_envs=2).state.registry.capacity == 2
    monkeypatch.setenv("OPENENV_IDLE_TIMEOUT_S", "soon")
    with pytest.raises(UsageError, match="OPENENV_IDLE_TIMEOUT_S='soon' is not a number"):
        create_app(Counter)
    with pytest.raises(UsageError, match="no such setting: speed"):
        create_app(Counter, speed=3)


async def test_a_session_that_lies_unused_is_ended() -> None:
    with running(create_app(Counter, idle_timeout_s=0.2)) as url:
        alive = Counter.count_from_now()
        async with CounterEnv(base_url=url) as env:
            await env.reset()
            await env.step(Count(sleep_s=0.5))
            assert alive() == 1
            await asyncio.sleep(0.6)
            assert alive() == 0
            with pytest.raises(RuntimeError, match="ended"):
                await env.step(Count(amount=1))


async def test_pages_of_other_sites_may_not_connect(counter_url: str) -> None:
    with pytest.raises(websockets.exceptions.InvalidStatus, match="403"):
        await websockets.connect(socket_url(counter_url), origin="https://elsewhere.example")  # type: ignore[arg-type]
    async with websockets.connect(socket_url(counter_url), origin=counter_url) as socket:  # type: ignore[arg-type]
        assert (await exchange(socket, {"type": "reset"}))["type"] == "observation"


@pytest.mark.parametrize("isolation", ["inline", "thread"])
async def test_whatever_an_environment_raises_is_an_error_and_no_more(isolation: str) -> None:
    class Raising(Counter):
        def step(self, action: Count, timeout_s: float | None = None) -> Total:
            kinds = {"keyboard": KeyboardInterrupt, "cancelled": asyncio.CancelledError, "generator": GeneratorExit}
            if action.fail in kinds:
                raise kinds[action.fail]("no")
            return super().step(action)

    with running(create_app(Raising, isolation=isolation)) as url:
        async with CounterEnv(base_url=url) as env:
            await env.reset()
            for kind in ("keyboard", "cancelled", "generator"):
                with pytest.raises(ExecutionError, match="no"):
                    await env.step(Count(fail=kind))
            assert (await env.step(Count(amount=1))).observation.total == 1


async def test_a_call_whose_client_has_gone_gives_its_slot_back() -> None:
    with running(create_app(Counter, max_concurrent_envs=1, close_timeout_s=0.3, queue_timeout_s=5)) as url:
        socket = await websockets.connect(socket_url(url))
        await exchange(socket, {"type": "reset"})
        await socket.send(json.dumps({"type": "step", "data": {"sleep_s": 8}}))
        await asyncio.sleep(0.1)
        await socket.close()
        async with CounterEnv(base_url=url) as env:
            assert (await env.reset(timeout_s=3)).observation.label == "start"

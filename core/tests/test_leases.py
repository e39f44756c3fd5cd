"""Slots and sessions come back, whatever their clients and environments do."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
from typing import Any

import pytest
import websockets
from abandoning import Visitor
from counting import Count, Counter, CounterEnv
from serving import running, wait_until

from openenv.errors import StepTimeout
from openenv.server import create_app
from openenv.sessions.session import Session


async def until(condition: Any, timeout_s: float = 5.0) -> None:
    await asyncio.to_thread(wait_until, condition, timeout_s)


async def test_a_client_that_leaves_in_an_endless_step_costs_no_slot_with_processes() -> None:
    app = create_app(Counter, max_concurrent_envs=1, isolation="process", close_timeout_s=0.3)
    with running(app) as url:
        visitor = Visitor(url)
        socket = await visitor.begun_v1()
        await visitor.ask(socket, "step", data={"sleep_s": 3600})
        socket.transport.abort()
        await until(lambda: app.state.registry.slots_taken == 0)
        async with CounterEnv(base_url=url) as env:
            assert (await env.reset(timeout_s=5)).observation.label == "start"


async def test_a_session_that_ends_in_a_step_gives_its_slot_back_when_the_step_is_given_up() -> None:
    app = create_app(Counter, max_concurrent_envs=1, step_timeout_s=0.3)
    with running(app) as url:
        alive = Counter.count_from_now()
        visitor = Visitor(url)
        socket = await visitor.begun_v1()
        await visitor.ask(socket, "step", data={"sleep_s": 1.5})
        await socket.close(1000)
        await until(lambda: len(app.state.registry) == 0)
        assert app.state.registry.slots_taken == 1
        await until(lambda: app.state.registry.slots_taken == 0, 1.0)
        assert alive() == 1
        await until(lambda: alive() == 0)
        assert all(builder == closer for builder, closer in Counter.closed_by.items())


async def test_what_was_built_for_a_reset_that_timed_out_serves_the_next() -> None:
    built: list[int] = []

    class Slow(Counter):
        def __init__(self) -> None:
            built.append(threading.get_ident())
            time.sleep(0.5)
            super().__init__()

    with running(create_app(Slow, max_concurrent_envs=1)) as url:
        async with CounterEnv(base_url=url) as env:
            with pytest.raises(StepTimeout) as late:
                await env.reset(timeout_s=0.1)
            assert late.value.details["started"] is False
            assert (await env.reset()).observation.thread == built[0]
            assert len(built) == 1


async def test_a_client_that_vanishes_as_it_is_told_off_is_not_kept() -> None:
    app = create_app(Counter, resume_window_s=0.1)
    with running(app) as url:
        for _ in range(20):
            visitor = Visitor(url)
            socket, _ = await visitor.begun()
            await visitor.ask(socket, "state", 2)
            await visitor.ask(socket, "state", 9)
            socket.transport.abort()
        await until(lambda: len(app.state.registry) == 0)
        await until(lambda: app.state.registry.slots_taken == 0)


async def test_sessions_over_http_are_forgotten_when_they_end() -> None:
    def sessions() -> int:
        gc.collect()
        return sum(isinstance(thing, Session) for thing in gc.get_objects())

    app = create_app(Counter)
    before = sessions()
    with running(app) as url:
        for _ in range(10):
            async with CounterEnv(base_url=url, transport="http") as env:
                await env.reset()
                await env.step(Count(amount=1))
        await until(lambda: len(app.state.registry) == 0)
        await until(lambda: sessions() <= before)


async def test_a_session_whose_environment_is_being_built_is_not_idle() -> None:
    class Slow(Counter):
        def __init__(self) -> None:
            time.sleep(0.6)
            super().__init__()

    with running(create_app(Slow, idle_timeout_s=0.2)) as url:
        socket = await websockets.connect(f"ws{url.removeprefix('http')}/ws")
        await socket.send('{"type":"reset"}')
        assert '"label":"start"' in str(await asyncio.wait_for(socket.recv(), 10))
        await socket.close()

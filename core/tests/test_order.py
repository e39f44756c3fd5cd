"""Calls of one client run in the order in which they were made."""

from __future__ import annotations

import asyncio
import signal
import sys
import threading
from typing import Any

import pytest
from counting import Count, Counter, CounterEnv
from journal import Journal, JournalEnv, Note, step_of
from serving import running

from openenv.server import create_app
from openenv.sessions.registry import Registry
from openenv.sessions.session import KEPT_REPLIES
from openenv.sessions.spec import environment_spec
from openenv.wire.messages import Request


async def test_calls_beyond_what_may_be_in_flight_keep_their_order() -> None:
    with running(create_app(Journal)) as url:
        async with JournalEnv(url) as env:
            await env.reset(episode_id="in order")

            async def play(first: int) -> None:
                for number in range(first, 600, 200):
                    await env.step(Note(number=number))

            await asyncio.gather(*map(play, range(200)))
            later: list[Any] = []

            async def more(number: int) -> None:
                await env.step(Note(number=number))
                if number < 1060:
                    later.append(asyncio.ensure_future(more(number + 100)))

            await asyncio.gather(*map(more, range(1000, 1100)))
            await asyncio.gather(*later)
    written = Journal.steps["in order"]
    assert written[:200] == list(range(200))
    assert written[600:700] == list(range(1000, 1100))
    for lane in range(200):
        assert [number for number in written[:600] if number % 200 == lane] == [lane, lane + 200, lane + 400]


async def test_a_call_repeated_while_it_runs_is_done_once_however_many_came_between(name: str) -> None:
    registry = Registry(environment_spec(Journal))
    session = await registry.open()
    await session.call(Request("reset", {"episode_id": name}))

    def step(number: int) -> asyncio.Future[bytes]:
        request = Request("step", step_of(number, gate=name))
        return asyncio.ensure_future(session.call_once(f"step {number}", lambda: session.call(request)))

    calls = []
    for number in (*range(2 * KEPT_REPLIES), 0):
        calls.append(step(number))
        await asyncio.sleep(0)
    Journal.gates[name].set()
    replies = await asyncio.gather(*calls)
    assert replies[0] == replies[-1]
    assert Journal.steps[name] == list(range(2 * KEPT_REPLIES))
    await registry.close()


class Stop(BaseException):
    """What the signal's handler raises, as Ctrl-C does."""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such signal")
def test_a_call_that_a_signal_interrupts_costs_no_later_one() -> None:
    def interrupt(*_: object) -> None:
        raise Stop

    before = signal.signal(signal.SIGUSR1, interrupt)
    try:
        with running(create_app(Counter)) as url, CounterEnv(url).sync() as env:
            env.reset()
            for _ in range(5):
                timer = threading.Timer(0.1, signal.pthread_kill, [threading.main_thread().ident, signal.SIGUSR1])
                timer.start()
                with pytest.raises(Stop):
                    env.step(Count(sleep_s=0.5))
                timer.join()
                env.reset()
            for _ in range(100):
                env.reset()
                assert env.step(Count(amount=1), timeout_s=5).observation.total == 1
    finally:
        signal.signal(signal.SIGUSR1, before)

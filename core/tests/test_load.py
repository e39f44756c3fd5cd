"""Many episodes and many sessions end with the right totals."""

from __future__ import annotations

import asyncio
import random

from counting import Count, Counter, CounterEnv
from serving import running, wait_until

from openenv.server import create_app


async def test_a_thousand_episodes_over_one_socket(counter_url: str) -> None:
    amounts = random.Random(1)
    async with CounterEnv(base_url=counter_url) as env:
        for number in range(1000):
            await env.reset(episode_id=str(number))
            total, done = 0, False
            while not done:
                amount = amounts.randint(1, 9)
                result = await env.step(Count(amount=amount))
                total, done = total + amount, result.done
                assert (result.observation.total, result.reward) == (total, amount)
            assert total >= 10
        assert (await env.state()).episode_id == "999"


async def test_64_sessions_at_once_do_not_touch() -> None:
    async def play(url: str, number: int) -> int:
        async with CounterEnv(base_url=url) as env:
            await env.reset(start=-1000 * number)
            for step in range(1, 51):
                result = await env.step(Count(amount=number))
                assert result.observation.total == number * (step - 1000)
            return (await env.state()).total

    alive = Counter.count_from_now()
    with running(create_app(Counter, max_concurrent_envs=64)) as url:
        totals = await asyncio.gather(*(play(url, number) for number in range(64)))
        assert totals == [number * (50 - 1000) for number in range(64)]
        wait_until(lambda: alive() == 0)

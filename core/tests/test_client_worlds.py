"""One rule decides whether a client's calls block or are awaited."""

from __future__ import annotations

import asyncio
import gc
import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from counting import Count, Counter, CounterEnv, Total
from serving import running

from openenv import EnvClient, StepResult
from openenv.errors import NotAwaitedError, StepTimeout, UsageError
from openenv.server import create_app


def test_without_a_loop_calls_block(counter_url: str) -> None:
    env = CounterEnv(base_url=counter_url)
    result = env.reset()
    assert isinstance(result, StepResult)
    assert env.step(Count(amount=2)).observation.total == 2  # type: ignore[attr-defined]
    assert env.state().total == 2  # type: ignore[attr-defined]
    assert env.close() is None


async def test_inside_a_loop_calls_are_awaited(counter_url: str) -> None:
    async with CounterEnv(base_url=counter_url) as env:
        assert (await env.reset()).observation.total == 0
        task = asyncio.create_task(env.step(Count(amount=1)))  # type: ignore[arg-type, var-annotated]
        assert (await task).reward == 1
        results = await asyncio.gather(*(asyncio.ensure_future(env.step(Count(amount=1))) for _ in range(3)))
        assert sorted(result.observation.total for result in results) == [2, 3, 4]
        assert (await asyncio.wait_for(env.state(), 5)).total == 4
    client = await CounterEnv(base_url=counter_url)
    assert (await client.reset()).done is False
    await client.close()


async def test_an_attribute_of_what_was_not_awaited_says_so(counter_url: str) -> None:
    async with CounterEnv(base_url=counter_url) as env:
        with pytest.raises(NotAwaitedError, match=r"await it, or use \.sync\(\)"):
            _ = env.reset().observation  # type: ignore[attr-defined]
        with pytest.raises(NotAwaitedError):
            _ = env.step(Count()).reward  # type: ignore[attr-defined]
        with pytest.warns(RuntimeWarning, match="never awaited"):
            env.step(Count(amount=5))
        await env.reset()
        call = env.step(Count(amount=1))
        assert (await call).observation.total == 1
        with pytest.raises(UsageError, match="already"):
            await call


def test_a_connection_opened_by_a_blocking_call_blocks_inside_loops_too(counter_url: str) -> None:
    env = CounterEnv(base_url=counter_url)
    env.reset()

    async def cell() -> int:
        assert env.step(Count(amount=1)).observation.total == 1  # type: ignore[attr-defined]
        return env.state().total  # type: ignore[attr-defined, no-any-return]

    assert asyncio.run(cell()) == 1
    env.close()


async def test_a_notebook(counter_url: str) -> None:
    with CounterEnv(base_url=counter_url) as env:
        env.reset()
        assert env.step(Count(amount=4)).reward == 4  # type: ignore[attr-defined]
        state = env.state()
        assert state == type(state)(**state.model_dump())  # type: ignore[attr-defined]

        def in_a_thread() -> int:
            return env.step(Count(amount=1)).observation.total  # type: ignore[attr-defined, no-any-return]

        assert await asyncio.to_thread(in_a_thread) == 5


async def test_awaiting_on_a_blocking_connection_says_so(counter_url: str) -> None:
    with CounterEnv(base_url=counter_url) as env:
        for call in (env.reset, lambda: env.step(Count()), env.state):
            with pytest.raises(UsageError, match="opened by a blocking call"):
                await call()
        with pytest.raises(UsageError, match="opened by a blocking call"):
            async with env:
                pass


async def test_sync_blocks_inside_a_loop(counter_url: str) -> None:
    with CounterEnv(base_url=counter_url).sync() as env:
        assert env.reset().observation.total == 0
        assert env.step(Count(amount=2)).observation.total == 2
        assert env.async_client.base_url == counter_url


def test_blocking_connections_serve_any_thread(counter_url: str) -> None:
    with CounterEnv.from_environment(Counter).sync() as local, CounterEnv(base_url=counter_url).sync() as remote:
        for env in (local, remote):
            env.reset(start=-1000)
            with ThreadPoolExecutor(8) as threads:
                rewards = list(threads.map(lambda _, env=env: env.step(Count(amount=1)).reward, range(200)))
            assert rewards == [1] * 200
            assert env.state().total == -800


def test_a_connection_of_a_loop_is_not_for_blocking_calls(counter_url: str) -> None:
    env = CounterEnv(base_url=counter_url)

    async def play() -> None:
        await env.reset()
        failures: list[Exception] = []

        def from_a_thread() -> None:
            try:
                env.reset()
            except Exception as error:
                failures.append(error)

        thread = threading.Thread(target=from_a_thread)
        thread.start()
        await asyncio.to_thread(thread.join, 5)
        assert [type(error) for error in failures] == [UsageError]
        await env.close()

    asyncio.run(play())
    assert env.reset().observation.total == 0  # type: ignore[attr-defined]
    env.close()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # the first loop ends with its socket open
def test_a_second_loop_is_told_that_the_episode_is_gone(counter_url: str) -> None:
    env = CounterEnv(base_url=counter_url)

    async def first() -> None:
        await env.reset()

    async def second() -> int:
        with pytest.raises(RuntimeError, match=r"reset\(\) starts another"):
            await env.step(Count(amount=1))
        await env.reset()
        total = (await env.step(Count(amount=1))).observation.total
        await env.close()
        return total

    asyncio.run(first())
    assert asyncio.run(second()) == 1
    gc.collect()


async def test_local_and_process_clients_live_in_both_worlds() -> None:
    async with CounterEnv.local("serving_counter:app") as env:
        assert (await env.reset()).observation.total == 0
    with CounterEnv.local("serving_counter:app").sync() as blocking:
        assert blocking.reset().observation.total == 0


def test_a_client_without_models_or_server_says_what_is_missing(counter_url: str) -> None:
    with pytest.raises(UsageError, match="GenericEnvClient"):
        EnvClient(base_url=counter_url)
    with pytest.raises(UsageError, match="names no server"):
        CounterEnv.local()
    with pytest.raises(UsageError, match="cannot import nowhere"):
        CounterEnv.local("nowhere:app").sync().reset()
    with pytest.raises(UsageError, match="base_url"):
        CounterEnv()


def test_the_hooks_of_older_clients_are_called(counter_url: str) -> None:
    class Older(EnvClient[Count, dict[str, Any], dict[str, Any]]):
        def _step_payload(self, action: Count) -> dict[str, Any]:
            return {"amount": action.amount * 2}

        def _parse_result(self, payload: dict[str, Any]) -> StepResult[dict[str, Any]]:
            seen = {"seen": payload["observation"]}
            return StepResult(observation=seen, reward=payload["reward"], done=payload["done"])

        def _parse_state(self, payload: dict[str, Any]) -> dict[str, Any]:
            return {"state": payload}

    with Older(base_url=counter_url).sync() as env:
        env.reset()
        result = env.step(Count(amount=2))
        assert (result.observation["seen"]["total"], result.reward) == (4, 4)
        assert env.state()["state"]["total"] == 4


FORKED = """
import os, sys
from counting import Count, CounterEnv
env = CounterEnv(base_url=sys.argv[1]).sync()
env.reset()
env.step(Count(amount=1))
child = os.fork()
if not child:
    try:
        env.step(Count(amount=1))
    except RuntimeError as error:
        print(type(error).__name__, error, flush=True)
    print(env.reset().observation.total, env.step(Count(amount=5)).observation.total, flush=True)
    env.close()
    os._exit(0)
os.waitpid(child, 0)
print(env.step(Count(amount=1)).observation.total)
env.close()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
def test_a_forked_child_leaves_its_parents_connection_alone(counter_url: str) -> None:
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", FORKED, counter_url]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    told = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=30, check=True).stdout.splitlines()
    assert told[0].startswith("SessionLost the session belongs to the process")
    assert told[1:] == ["0 5", "2"]


TYPED = """
from collections.abc import Awaitable
from typing import assert_type
from openenv import StepResult
from counting import Count, CounterEnv, CountState, Total

def blocking(env: CounterEnv) -> None:
    with env.sync() as client:
        assert_type(client.reset(seed=1), StepResult[Total])
        assert_type(client.step(Count()), StepResult[Total])
        assert_type(client.state(), CountState)
        client.step("no")  # type: ignore[arg-type]

async def awaited(env: CounterEnv) -> None:
    async with env as client:
        assert_type(client, CounterEnv)
        assert_type(await client.step(Count()), StepResult[Total])
        assert_type(client.reset(), Awaitable[StepResult[Total]])
        assert_type(await client.state(), CountState)
"""


def test_a_type_checker_knows_both_worlds(tmp_path: Path) -> None:
    (tmp_path / "typed.py").write_text(TYPED)
    tests = Path(__file__).parent
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path / "cache"), str(tmp_path / "typed.py")]
    environment = {"MYPYPATH": f"{tests}:{tests.parent / 'src'}", "PATH": "/usr/bin:/bin"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=tmp_path)
    assert done.returncode == 0, done.stdout


UNCLOSED = """
import asyncio, sys
from counting import Count, CounterEnv
env = CounterEnv(base_url=sys.argv[1])
if sys.argv[2] == "blocking":
    env.reset()
    env.step(Count(amount=1))
else:
    async def play():
        await env.reset()
        await env.step(Count(amount=1))
    asyncio.run(play())
"""


@pytest.mark.parametrize("world", ["blocking", "awaited"])
def test_a_program_that_forgets_to_close_leaves_its_slot_to_the_next(world: str) -> None:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    with running(create_app(Counter, max_concurrent_envs=1, queue_timeout_s=20)) as url:
        for _ in range(2):
            subprocess.run([sys.executable, "-c", UNCLOSED, url, world], env=environment, timeout=15, check=True)


def test_a_dropped_client_leaves_its_slot_to_the_next() -> None:
    with running(create_app(Counter, max_concurrent_envs=1, queue_timeout_s=20)) as url:
        for _ in range(2):
            env = CounterEnv(base_url=url)
            env.sync().reset(timeout_s=5)
            del env
            gc.collect()


def test_a_call_does_not_wait_longer_for_another_thread_than_its_time(counter_url: str) -> None:
    with CounterEnv(base_url=counter_url).sync() as env, ThreadPoolExecutor(1) as other:
        env.reset()
        slow = other.submit(env.step, Count(amount=1, sleep_s=1.5))
        time.sleep(0.2)
        with pytest.raises(StepTimeout, match="another thread"):
            env.state(timeout_s=0.2)
        assert slow.result().reward == 1
        assert env.step(Count(amount=1)).observation.total == 2


@pytest.mark.parametrize("timeout_s", [0, -1, "5", True])
def test_what_is_no_time_to_wait(counter_url: str, timeout_s: Any) -> None:
    with CounterEnv(base_url=counter_url).sync() as env:
        with pytest.raises(UsageError, match="number of seconds above 0"):
            env.reset(timeout_s=timeout_s)
        assert env.reset(timeout_s=float("inf")).observation.label == "start"


def test_two_type_arguments_make_a_client_with_the_plain_state(counter_url: str) -> None:
    class Brief(EnvClient[Count, Total]):
        pass

    with Brief(base_url=counter_url).sync() as env:
        env.reset(episode_id="e")
        assert env.state().episode_id == "e"

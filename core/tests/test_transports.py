"""The same play over every transport: socket, HTTP and in process, blocking and awaited."""

from __future__ import annotations

import inspect
import math
from collections.abc import AsyncIterator
from typing import Any

import pytest
from counting import AsyncCounter, Count, Counter, CounterEnv
from serving import wait_until

from openenv import GenericEnvClient
from openenv.errors import (
    ConnectError,
    ExecutionError,
    InvalidActionError,
    SessionLost,
    SessionStuck,
    StepTimeout,
    UsageError,
)


class Player:
    """Plays a client in its own world, so that one test serves both."""

    def __init__(self, client: Any, *, blocking: bool) -> None:
        self.client = client.sync() if blocking else client

    async def __call__(self, method: str, *arguments: Any, **options: Any) -> Any:
        result = getattr(self.client, method)(*arguments, **options)
        return await result if inspect.isawaitable(result) else result


@pytest.fixture(params=["websocket", "http", "local"])
def transport(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(params=[True, False], ids=["blocking", "awaited"])
async def play(request: pytest.FixtureRequest, transport: str, counter_url: str) -> AsyncIterator[Player]:
    client: CounterEnv
    if transport == "local":
        client = CounterEnv.from_environment(Counter)
    else:
        client = CounterEnv(base_url=counter_url, transport=transport)
    player = Player(client, blocking=request.param)
    yield player
    await player("close")


async def test_an_episode(play: Player) -> None:
    first = await play("reset", seed=3, episode_id="e", start=2)
    assert (first.observation.total, first.observation.label, first.reward, first.done) == (2, "start", None, False)
    second = await play("step", Count(amount=3))
    assert (second.observation.total, second.reward, second.done, second.terminated) == (5, 3, False, None)
    assert second.observation.reward == 3
    last = await play("step", Count(amount=5))
    assert (last.observation.total, last.done, last.terminated, last.truncated) == (10, True, True, None)
    assert last.observation.done
    state = await play("state")
    assert (state.episode_id, state.step_count, state.total, state.seed, state.start) == ("e", 2, 10, 3, 2)


async def test_a_step_after_the_end_is_an_error_and_never_a_reward(play: Player) -> None:
    await play("reset")
    await play("step", Count(amount=10))
    with pytest.raises(ExecutionError, match="episode is over"):
        await play("step", Count(amount=1))
    assert (await play("state")).total == 10
    assert (await play("reset")).observation.total == 0
    assert (await play("step", Count(amount=1))).reward == 1


async def test_what_is_refused_leaves_the_episode_as_it_was(play: Player) -> None:
    await play("reset")
    await play("step", Count(amount=1))
    with pytest.raises(InvalidActionError, match=r"amount.*integer") as caught:
        await play("step", {"amount": "many", "colour": 1})
    assert {tuple(error["loc"]) for error in caught.value.errors} == {("amount",), ("colour",)}
    with pytest.raises(ExecutionError, match="amount must not be negative"):
        await play("step", Count(amount=-1))
    for failure in ("wrong type", "exit", "surrogate"):
        with pytest.raises(ExecutionError):
            await play("step", Count(fail=failure))
    assert (await play("step", Count(amount=1))).observation.total == 2
    with pytest.raises(UsageError, match="step takes Count, not int"):
        await play("step", 5)


async def test_an_argument_that_reset_does_not_take_is_refused_but_over_http(play: Player, transport: str) -> None:
    if transport == "http":
        assert (await play("reset", colour="red")).observation.total == 0
    else:
        with pytest.raises(InvalidActionError, match="does not take colour; it takes episode_id, seed, start"):
            await play("reset", colour="red")
    assert (await play("reset", start=1)).observation.total == 1


async def test_a_late_reply_is_never_given_to_the_next_call(play: Player) -> None:
    await play("reset")
    await play("step", Count(amount=1))
    with pytest.raises(StepTimeout):
        await play("step", Count(amount=2, sleep_s=0.4), timeout_s=0.1)
    with pytest.raises(SessionStuck, match=r"reset\(\) first"):
        await play("step", Count(amount=3))
    assert (await play("reset", episode_id="next")).observation.label == "start"
    assert (await play("step", Count(amount=4))).observation.total == 4
    assert (await play("state")).episode_id == "next"


async def test_odd_floats(play: Player) -> None:
    await play("reset")
    seen = (await play("step", Count(fail="nan"))).observation
    assert math.isnan(seen.value)
    assert [math.isnan(value) for value in seen.values] == [True, False]


async def test_one_thread_builds_steps_and_closes(play: Player) -> None:
    threads = {(await play("reset")).observation.thread}
    threads |= {(await play("step", Count())).observation.thread for _ in range(5)}
    await play("close")
    (builder,) = threads
    wait_until(lambda: builder in Counter.closed_by)
    assert Counter.closed_by[builder] == builder


async def test_after_close_only_a_reset_goes_on(play: Player) -> None:
    await play("reset")
    await play("close")
    await play("close")
    with pytest.raises(SessionLost, match="closed"):
        await play("step", Count(amount=1))
    assert (await play("reset")).observation.total == 0


async def test_a_client_of_dicts(transport: str, counter_url: str) -> None:
    if transport == "local":
        pytest.skip("a client of dicts is for servers whose package is not here")
    async with GenericEnvClient(base_url=counter_url, transport=transport) as env:
        assert (await env.reset(seed=1)).observation["label"] == "start"
        result = await env.step({"amount": 10})
        assert (result.observation["total"], result.reward, result.done, result.terminated) == (10, 10, True, True)
        assert (await env.state())["total"] == 10


async def test_an_environment_of_the_event_loop() -> None:
    async with CounterEnv.from_environment(AsyncCounter) as env:
        await env.reset(episode_id="a")
        assert (await env.step(Count(amount=2, sleep_s=0.01))).observation.total == 2
        assert (await env.state()).episode_id == "a"


@pytest.mark.parametrize("transport", ["websocket", "http"])
async def test_nobody_there(transport: str) -> None:
    env = CounterEnv(base_url="http://127.0.0.1:9", transport=transport)
    with pytest.raises(ConnectError, match="is the server running"):
        await env.reset()
    with pytest.raises(ConnectError, match="is the server running"):
        env.sync().reset()


@pytest.mark.parametrize("url", ["", "ftp://host", "http://", "::::"])
def test_what_is_no_address(url: str) -> None:
    with pytest.raises(UsageError, match="address"):
        CounterEnv(base_url=url)


@pytest.mark.parametrize("form", ["{0}/", "{0}/ws", "ws://{1}", "ws://{1}/ws", "{1}"])
def test_forms_of_an_address(form: str, counter_url: str) -> None:
    with CounterEnv(base_url=form.format(counter_url, counter_url.removeprefix("http://"))).sync() as env:
        assert env.reset().observation.label == "start"

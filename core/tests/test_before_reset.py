"""What comes before the first reset: the caller's mistake where an environment needs one, and a step where it does not."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
import websockets.sync.client
from counting import Count, Counter, CounterEnv, CountState, Total
from serving import running
from speaking import speaking

from openenv import Environment, NoEpisodeError
from openenv.errors import OpenEnvError
from openenv.server import create_app


class Gate(Environment[Count, Total, CountState]):
    """Counts nothing before its reset."""

    SUPPORTS_CONCURRENT_SESSIONS = True

    def __init__(self) -> None:
        super().__init__()
        self._state: CountState | None = None

    def reset(self, seed: int | None = None, episode_id: str | None = None) -> Total:
        self._state = CountState(episode_id=episode_id)
        return Total()

    def step(self, action: Count, timeout_s: float | None = None) -> Total:
        self.state.total += action.amount
        return Total(total=self.state.total, reward=action.amount)

    @property
    def state(self) -> CountState:
        if self._state is None:
            raise NoEpisodeError("nothing is being counted: reset() first")
        return self._state

    def render(self) -> dict[str, str]:
        return {"text/plain": str(self.state.total)}


@pytest.fixture(scope="module")
def gate_url() -> Iterator[str]:
    with running(create_app(Gate)) as url:
        yield url


def refusals(env: Any, *methods: str) -> list[str]:
    """Call what needs a reset, then go on as one should; return what was said of the former."""
    action, told = Count(amount=3), []
    for method in methods:
        with pytest.raises(OpenEnvError) as refused:
            getattr(env, method)(*([action] if method == "step" else []))
        told.append(str(refused.value))
    env.reset()
    assert env.step(action).observation.total == 3
    env.close()
    return told


def over_websocket(url: str) -> list[str]:
    return refusals(CounterEnv(base_url=url).sync(), "step", "render", "state")


def over_http(url: str) -> list[str]:
    return refusals(CounterEnv(base_url=url, transport="http").sync(), "step", "state")


def in_process(url: str) -> list[str]:
    return refusals(CounterEnv.from_environment(Gate).sync(), "step", "render", "state")


def by_plain_http(url: str) -> list[str]:
    reply = httpx.post(f"{url}/step", json={"action": {"amount": 3}})
    assert reply.status_code == 409
    return [reply.json()["detail"]]


def by_version_1(url: str) -> list[str]:
    with websockets.sync.client.connect(f"ws{url.removeprefix('http')}/ws") as socket:
        socket.send(json.dumps({"type": "step", "data": {"amount": 3}}))
        error = json.loads(socket.recv(10))["data"]
        assert error["code"] == "EXECUTION_ERROR"
        return [error["message"]]


def in_lanes(url: str) -> list[str]:
    async def main() -> list[str]:
        async with speaking(url) as client:
            await client.ask("lanes", 1, {"count": 2})
            await client.ask("reset", 2, [{}], lanes=[0])
            reply = await client.ask("step", 3, [{"amount": 3}, {"amount": 3}], lanes=[0, 1])
            assert reply["data"][0]["observation"]["total"] == 3
            return [reply["data"][1]["error"]["message"]]

    return asyncio.run(main())


@pytest.mark.parametrize("way", [over_websocket, over_http, in_process, by_plain_http, by_version_1, in_lanes])
def test_what_needs_a_reset_is_refused_in_one_line_and_no_failure(
    gate_url: str, way: Callable[[str], list[str]], caplog: pytest.LogCaptureFixture
) -> None:
    for told in way(gate_url):
        assert "reset" in told
        assert told.endswith("first")
        assert "\n" not in told
    assert caplog.records == []


def test_an_environment_that_needs_no_reset_is_asked_for_none(counter_url: str) -> None:
    """Clients of the published package step so: theirs for tools does, and each of its calls over HTTP."""
    for env in (CounterEnv(base_url=counter_url).sync(), CounterEnv.from_environment(Counter).sync()):
        assert env.step(Count(amount=4)).observation.total == 4
        env.close()

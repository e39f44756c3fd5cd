"""The older client: three hooks, calls that block, HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from counting import Count, CountState, SoloCounter, Total
from fastapi import Body, FastAPI
from serving import running

from openenv.core.client_types import StepResult
from openenv.core.http_env_client import HTTPEnvClient
from openenv.errors import ConnectError, ExecutionError, InvalidActionError
from openenv.server import create_app


class OlderCounterEnv(HTTPEnvClient[Count, Total]):
    """Written as clients were in the beginning."""

    def _step_payload(self, action: Count) -> dict[str, Any]:
        return {"amount": action.amount}

    def _parse_result(self, payload: dict[str, Any]) -> StepResult[Total]:
        observation = Total(total=payload["observation"]["total"], done=payload["done"], reward=payload["reward"])
        return StepResult(observation=observation, reward=payload["reward"], done=payload["done"])

    def _parse_state(self, payload: dict[str, Any]) -> CountState:
        return CountState(**payload)


def play(url: str) -> None:
    env = OlderCounterEnv(base_url=url)
    assert env.reset().observation.total == 0
    results = [env.step(Count(amount=amount)) for amount in (4, 6)]
    assert [(result.observation.total, result.reward, result.done) for result in results] == [(4, 4, False), (10, 6, True)]
    assert env.state().step_count == 2
    env.close()


def test_it_plays(counter_url: str) -> None:
    play(counter_url)


async def test_it_blocks_inside_a_loop_too(counter_url: str) -> None:
    play(counter_url)


def test_arguments_of_reset_and_errors(counter_url: str) -> None:
    with OlderCounterEnv(counter_url, request_timeout_s=5.0, default_headers={"X-Who": "me"}) as env:
        assert env.reset(seed=3, start=2).observation.total == 2
        assert env.state().model_dump()["seed"] == 3
        with pytest.raises(ExecutionError, match="must not be negative"):
            env.step(Count(amount=-1))
        assert env.step(Count(amount=1)).observation.total == 3
    with pytest.raises(ConnectError):
        OlderCounterEnv("http://127.0.0.1:9").reset()


def test_closing_frees_the_slot() -> None:
    with running(create_app(SoloCounter, queue_timeout_s=0.5)) as url:
        for _ in range(3):
            play(url)


@pytest.fixture
def sessionless_url() -> Iterator[str]:
    """An older server: one environment for all its callers, and no word of sessions."""
    app, environment = FastAPI(), SoloCounter()

    def told(observation: Total) -> dict[str, Any]:
        data = observation.model_dump(exclude={"reward", "done"})
        return {"observation": data, "reward": observation.reward, "done": observation.done}

    app.get("/health")(lambda: {"status": "healthy"})
    app.get("/state")(lambda: environment.state.model_dump())

    @app.post("/reset")
    def reset() -> dict[str, Any]:
        return told(environment.reset())

    @app.post("/step")
    def step(body: dict[str, Any] = Body()) -> dict[str, Any]:  # noqa: B008
        return told(environment.step(Count(**body["action"])))

    with running(app) as url:
        yield url


def test_it_plays_a_server_without_sessions(sessionless_url: str) -> None:
    play(sessionless_url)


def test_a_client_without_hooks_is_refused() -> None:
    with pytest.raises(TypeError, match="abstract"):
        HTTPEnvClient("http://localhost:8000")  # type: ignore[abstract]


def test_an_action_that_does_not_fit(counter_url: str) -> None:
    class Wrong(OlderCounterEnv):
        def _step_payload(self, action: Count) -> dict[str, Any]:
            return {"colour": "red"}

    with Wrong(counter_url) as env:
        env.reset()
        with pytest.raises(InvalidActionError):
            env.step(Count())

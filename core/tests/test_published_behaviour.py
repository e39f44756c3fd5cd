"""What stands behind the published names does what it does there."""

from __future__ import annotations

import pickle
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from counting import Count, Counter, CounterEnv, CountState, SoloCounter, Total
from fastapi import FastAPI
from pydantic import Field, ValidationError
from serving import running
from websockets.sync.client import connect

from openenv import Action, Observation
from openenv.core.env_server import (
    ConcurrencyConfig,
    ConcurrencyConfigurationError,
    EnvironmentFactoryError,
    GetEndpointConfig,
    HealthResponse,
    HTTPEnvServer,
    SchemaResponse,
    ServerCapacityStatus,
    SessionCapacityError,
    SessionNotFoundError,
    WSErrorCode,
    WSErrorResponse,
    WSObservationResponse,
    WSResetMessage,
    WSStateMessage,
    WSStateResponse,
    WSStepMessage,
    deserialize_action,
    deserialize_action_with_preprocessing,
    serialize_observation,
)
from openenv.core.env_server.http_server import overrides_method, register_get_endpoints
from openenv.core.env_server.types import ResetResponse
from openenv.core.env_server.web_interface import load_environment_metadata
from openenv.core.utils import convert_to_ws_url, hf_space_subdomain, run_async_safely
from openenv.errors import CapacityReached, FactoryError, OpenEnvError, SessionLost, UsageError


def test_messages_are_what_the_server_speaks(counter_url: str) -> None:
    with connect(f"{convert_to_ws_url(counter_url)}/ws") as socket:

        def said(message: WSResetMessage | WSStepMessage | WSStateMessage) -> str | bytes:
            socket.send(message.model_dump_json())
            return socket.recv(timeout=10)

        assert WSObservationResponse.model_validate_json(said(WSResetMessage(data={"seed": 3}))).data["reward"] is None
        assert WSObservationResponse.model_validate_json(said(WSStepMessage(data={"amount": 2}))).data["reward"] == 2
        assert WSStateResponse.model_validate_json(said(WSStateMessage())).data["total"] == 2
        refused = WSErrorResponse.model_validate_json(said(WSStepMessage(data={"colour": "red"})))
        assert refused.data["code"] == WSErrorCode.VALIDATION_ERROR
    assert HealthResponse.model_validate(httpx.get(f"{counter_url}/health").json()).status == "healthy"
    assert SchemaResponse.model_validate(httpx.get(f"{counter_url}/schema").json()).reset_observation is None
    assert ResetResponse.model_validate(httpx.post(f"{counter_url}/reset").json()).done is False


class Welcome(Observation):
    rules: str = ""


def test_a_server_joins_an_application_of_ones_own() -> None:
    said, alive = [], Counter.count_from_now()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        said.append("up")
        yield
        said.append("down")

    app = FastAPI(lifespan=lifespan)
    server = HTTPEnvServer(
        Counter,
        Count,
        Total,
        None,
        ConcurrencyConfig(max_concurrent_envs=2, session_timeout=30),
        "counter_env",
        CountState,
        reset_observation_cls=Welcome,
    )
    server.register_routes(app)
    register_get_endpoints(app, [GetEndpointConfig("/motto", lambda: {"motto": "count"}, dict, "Own", "Motto", "One line")])
    with running(app) as url:
        assert server.get_capacity_status() == ServerCapacityStatus(active_sessions=0, max_sessions=2)
        with CounterEnv(url).sync() as env:
            env.reset()
            status = server.get_capacity_status()
            assert (status.active_sessions, status.available_slots, status.is_at_capacity) == (1, 1, False)
        assert httpx.get(f"{url}/motto").json() == {"motto": "count"}
        assert "rules" in httpx.get(f"{url}/schema").json()["reset_observation"]["properties"]
    assert said == ["up", "down"]
    assert (server.is_concurrency_safe, server.concurrency_config.session_timeout) == (True, 30)
    assert alive() == 0


def test_what_a_server_knows_of_a_session() -> None:
    """As there: steps that were done count, in all episodes of the session, and refused ones do not."""
    app = FastAPI()
    server = HTTPEnvServer(Counter, Count, Total)
    server.register_routes(app)
    begun = time.time()
    with running(app) as url, httpx.Client(base_url=url) as http:
        session = http.post("/reset", headers={"X-OpenEnv-Session": "new"}).headers["X-OpenEnv-Session"]
        first = server.get_session_info(session)
        assert first is not None
        assert (first.session_id, first.step_count, first.environment_type) == (session, 0, "Counter")
        for amount, status in ((1, 200), ("none", 422), (2, 200)):
            assert http.post("/step", json={"action": {"amount": amount}}).status_code == status
        http.post("/reset")
        last = server.get_session_info(session)
        assert last is not None
        assert (last.step_count, last.created_at) == (2, first.created_at)
        assert begun <= first.created_at <= first.last_activity_at < last.last_activity_at <= time.time()
        assert http.delete("/session").status_code == 204
        assert server.get_session_info(session) is None


def test_a_configuration_that_cannot_work() -> None:
    with pytest.raises(ConcurrencyConfigurationError, match="SUPPORTS_CONCURRENT_SESSIONS") as raised:
        HTTPEnvServer(SoloCounter, Count, Total, max_concurrent_envs=4)
    assert (raised.value.environment_name, raised.value.max_concurrent_envs) == ("SoloCounter", 4)
    with pytest.raises(ValueError, match="not both"):
        HTTPEnvServer(Counter, Count, Total, 2, ConcurrencyConfig())
    with pytest.raises(ValidationError, match="cannot exceed"):
        ServerCapacityStatus.from_counts(9, 5)


@pytest.mark.parametrize(
    ("raised", "published"),
    [
        (CapacityReached("full", active_sessions=1, max_sessions=1), SessionCapacityError),
        (SessionLost("gone"), SessionNotFoundError),
        (FactoryError("no"), EnvironmentFactoryError),
    ],
)
def test_what_is_raised_is_caught_by_its_published_name(raised: OpenEnvError, published: type[OpenEnvError]) -> None:
    assert isinstance(raised, published)
    assert isinstance(raised, RuntimeError)


def test_published_errors_are_made_and_carried_as_there() -> None:
    error = pickle.loads(pickle.dumps(SessionCapacityError(3, 4)))
    assert (type(error), error.active_sessions, error.max_sessions) == (SessionCapacityError, 3, 4)
    assert str(SessionNotFoundError(session_id="s", message="own words")) == "own words"
    assert SessionNotFoundError("s").session_id == "s"
    assert pickle.loads(pickle.dumps(CapacityReached("full", max_sessions=1))).max_sessions == 1


class Form(Action):
    number: int
    tokens: list[int] = Field(default_factory=list)
    options: dict[str, int] = Field(default_factory=dict)


def test_serialization() -> None:
    data = serialize_observation(Total(total=2, reward=1.0, done=True, metadata={"a": 1}))
    assert (data["observation"]["total"], data["reward"], data["done"], data["metadata"]) == (2, 1.0, True, {"a": 1})
    assert deserialize_action({"number": 1}, Form) == Form(number=1)
    form = {"number": "3", "tokens": "[1, 2]", "options": '{"a": 1}'}
    assert deserialize_action_with_preprocessing(form, Form) == Form(number=3, tokens=[1, 2], options={"a": 1})
    assert deserialize_action_with_preprocessing({"number": "3", "tokens": ""}, Form) == Form(number=3)
    for wrong in ({"number": "x"}, {"number": "1", "tokens": "1 and 2"}):
        with pytest.raises(ValidationError):
            deserialize_action_with_preprocessing(wrong, Form)


async def three() -> int:
    return 3


async def test_a_coroutine_runs_inside_a_loop() -> None:
    assert run_async_safely(three()) == 3


def test_small_ones() -> None:
    assert run_async_safely(three()) == 3
    assert convert_to_ws_url("https://a.example/x/") == "wss://a.example/x"
    assert hf_space_subdomain("Open_Env/Echo.Env") == "open-env-echo-env"
    assert overrides_method(SoloCounter().reset, Counter.reset) is False
    assert overrides_method(Counter.reset, Total.copy) is True
    assert load_environment_metadata(SoloCounter, "solo").name == "solo"
    assert load_environment_metadata(SoloCounter()).description == "As `Counter`, one at a time."
    with pytest.raises(UsageError, match="simulation"):
        CounterEnv("http://localhost:8000", mode="playground")
    with pytest.raises(ValueError, match="base_url"):
        CounterEnv()

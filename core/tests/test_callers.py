"""The calls of the training frameworks, in each one's own style, against a real server."""

from __future__ import annotations

import asyncio
import importlib
import inspect
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from serving import running

from echo_env import EchoAction, EchoEnv
from openenv.core import GenericEnvClient
from openenv.core.client_types import StepResult
from openenv.core.containers.runtime import ContainerProvider
from openenv.core.env_server.mcp_types import Tool
from openenv.core.harness import (
    MCPHarnessAdapter,
    ModelStepResult,
    ResourceSession,
    ResourceSessionFactory,
    StepEnvSessionAdapter,
    VerifyResult,
    build_harness_rollout_func,
)
from openenv.core.llm_client import LLMResponse, ToolCall
from openenv.launch.process import ProcessProvider


@pytest.fixture(scope="module")
def echo_url() -> Iterator[str]:
    from echo_env.server.app import app

    with running(app) as url:
        yield url


class EchoTool:
    """What a trainer of TRL builds for each rollout: no arguments, `reset`, and documented methods that are its tools."""

    url = ""

    def __init__(self) -> None:
        self.client: Any = EchoEnv(base_url=self.url)
        self.reward = 0.0
        self.done = False

    def reset(self, **columns: Any) -> str | None:
        """Start an episode from a row of the dataset."""
        result = self.client.reset()
        assert result.observation.reward is None
        self.reward = 0.0
        return f"Say: {columns['phrase']}" if "phrase" in columns else None

    def echo(self, message: str) -> str:
        """Say something.

        Args:
            message: What to say.
        """
        result = self.client.step(EchoAction(message=message))
        assert (result.reward, result.done) == (result.observation.reward, result.observation.done)
        self.reward += float(result.reward)
        self.done = result.done
        said: str = result.observation.echoed_message
        return said

    def close(self) -> None:
        self.client.close()


def test_trl_environment_factory(echo_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(EchoTool, "url", echo_url)
    environments = [EchoTool() for _ in range(3)]
    rows = [{"phrase": "one", "answer": 1}, {"phrase": "two", "answer": 2}, {}]
    prompts = [environment.reset(**row) for environment, row in zip(environments, rows, strict=True)]
    assert prompts == ["Say: one", "Say: two", None]
    assert [environment.echo(f"hello {n}") for n, environment in enumerate(environments)] == ["hello 0", "hello 1", "hello 2"]
    rewards = [environment.reward for environment in environments]
    assert all(reward > 0 for reward in rewards)
    for environment in environments:
        environment.close()


async def test_trl_calls_that_run_in_threads_of_a_program_with_a_loop(echo_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(EchoTool, "url", echo_url)

    def rollout(text: str) -> str:
        environment = EchoTool()
        environment.reset()
        said = environment.echo(text)
        environment.close()
        return said

    texts = [f"number {n}" for n in range(8)]
    assert await asyncio.gather(*(asyncio.to_thread(rollout, text) for text in texts)) == texts


class EchoSessions(ResourceSessionFactory[StepEnvSessionAdapter]):
    """Opens an episode of a server for each prompt, as a trainer that rolls out asynchronously asks for."""

    def __init__(self, url: str) -> None:
        self.url = url

    def create(self, task: Any, seed: int | None = None, episode_id: str | None = None) -> StepEnvSessionAdapter:
        schema = {"type": "object", "properties": {"message": {"type": "string"}}, "required": ["message"]}
        return StepEnvSessionAdapter(
            EchoEnv(base_url=self.url),
            task=task,
            seed=seed,
            episode_id=episode_id,
            tool_specs=[Tool(name="echo", description="Say something.", input_schema=schema)],
            action_builder=lambda name, arguments: EchoAction(**arguments),
            initial_messages_builder=lambda result, task: [{"role": "user", "content": f"Say {task}"}],
            verify_builder=self.verify,
        )

    @staticmethod
    def verify(transcript: list[dict[str, Any]], final_state: Any, last: StepResult[Any] | None, state: Any) -> VerifyResult:
        assert last is not None
        return VerifyResult(env_reward=last.reward, done=last.done, metrics={"steps": state.step_count})


def speaker(trainer: Any, session: ResourceSession) -> Any:
    """A model that says what it was told to, and then nothing more."""

    def step(messages: list[dict[str, Any]], tools: list[Tool], sampling: dict[str, Any]) -> ModelStepResult:
        said = messages[-1]["role"] == "tool"
        word = messages[0]["content"].removeprefix("Say ")
        calls = [] if said else [ToolCall(id="1", name=tools[0].name, args={"message": word})]
        response = LLMResponse(content="done" if said else "", tool_calls=calls)
        return ModelStepResult(response, prompt_ids=[len(messages)], completion_ids=[7], logprobs=[-0.25])

    return step


async def test_trl_async_grpo(echo_url: str) -> None:
    play = build_harness_rollout_func(
        session_factory=EchoSessions(echo_url), harness_adapter=MCPHarnessAdapter(), model_step_builder=speaker
    )
    batches = await asyncio.gather(*(asyncio.to_thread(play, [f"word {n}", "hi"], None) for n in range(3)))
    for batch in batches:
        assert batch["prompt_ids"] == [[1, 3], [1, 3]]
        assert (batch["completion_ids"], batch["logprobs"]) == ([[7, 7]] * 2, [[-0.25, -0.25]] * 2)
        assert all(reward > 0 for reward in batch["env_reward"])
        assert batch["verify_metrics"] == [{"steps": 1}] * 2


def test_verifiers_from_plain_code(echo_url: str) -> None:
    assert httpx.get(f"{echo_url}/health").status_code == 200
    schema = httpx.get(f"{echo_url}/schema").json()["action"]
    client: Any = GenericEnvClient(base_url=echo_url)
    client.connect()
    result = client.reset(seed=3)
    assert not result.done
    action = {"message": "hi"}
    assert action.keys() <= schema["properties"].keys()
    assert client.step(action).observation["echoed_message"] == "hi"
    state = client._send_and_receive({"type": "state"})
    assert (state["type"], state["data"]["step_count"]) == ("state", 1)
    step = client._send_and_receive({"type": "step", "data": {"message": "again"}})
    assert (step["type"], step["data"]["observation"]["echoed_message"]) == ("observation", "again")
    assert step["data"].keys() >= {"observation", "reward", "done"}
    client.close()


async def maybe_awaited(function: Any, *arguments: Any, **options: Any) -> Any:
    """Call as that framework does inside its loop."""
    if inspect.iscoroutinefunction(function):
        return await function(*arguments, **options)
    return await asyncio.to_thread(function, *arguments, **options)


async def test_verifiers_inside_a_loop(echo_url: str) -> None:
    client: Any = GenericEnvClient(base_url=echo_url)
    await maybe_awaited(client.connect)
    result = await maybe_awaited(client.reset, seed=3)
    assert result.done is False
    result = await maybe_awaited(client.step, {"message": "from a thread"})
    assert result.observation["echoed_message"] == "from a thread"
    await maybe_awaited(client.close)
    awaited: Any = GenericEnvClient(base_url=echo_url)
    await awaited.connect()
    await awaited.reset(seed=3)
    reply = await awaited._send_and_receive({"type": "step", "data": {"message": "awaited"}})
    assert reply["data"]["observation"]["echoed_message"] == "awaited"
    await awaited.close()


class Containers(ContainerProvider):
    """Runs the server that an image stands for as a process."""

    def __init__(self) -> None:
        self.started: list[str] = []
        self._server = ProcessProvider("echo_env.server.app:app")

    def start_container(
        self, image: str, port: int | None = None, env_vars: dict[str, str] | None = None, **options: Any
    ) -> str:
        self.started.append(image)
        return self._server.start(port, env_vars)

    def stop_container(self) -> None:
        self._server.stop()
        self.started.clear()

    def wait_for_ready(self, base_url: str, timeout_s: float = 30.0) -> None:
        assert base_url
        self._server.wait_for_ready(timeout_s)


def test_skyrl_bootstraps_without_await() -> None:
    provider = Containers()
    module = importlib.import_module("echo_env")
    env: Any = module.EchoEnv.from_docker_image("echo-env:latest", provider=provider)
    assert provider.started == ["echo-env:latest"]
    assert env.reset().done is False
    result = env.step(module.EchoAction(message="sky"))
    assert (result.observation.echoed_message, result.reward > 0, result.done) == ("sky", True, False)
    assert env.base_url.startswith("http://127.0.0.1:")
    env.close()
    assert provider.started == []


async def test_a_container_is_awaited_inside_a_loop() -> None:
    provider = Containers()
    env = await EchoEnv.from_docker_image("echo-env:latest", provider=provider)
    await env.reset()
    assert (await env.step(EchoAction(message="sky"))).observation.echoed_message == "sky"
    await env.close()
    assert provider.started == []


def test_nemo_gym_plays_in_process() -> None:
    path, action_path = "echo_env.server.environment.EchoEnvironment", "echo_env.models.EchoAction"
    cls, action_cls = (
        getattr(importlib.import_module(name.rpartition(".")[0]), name.rpartition(".")[2]) for name in (path, action_path)
    )
    env = cls()
    first = env.reset(seed=1, episode_id="e")
    assert (first.reward, first.done) == (None, False)
    observation = env.step(action_cls(message="in process"))
    assert json.loads(json.dumps(observation.model_dump()))["echoed_message"] == "in process"
    assert observation.reward > 0
    assert observation.done is False
    env.close()


def test_sessions_beside_one_another(echo_url: str) -> None:
    with EchoEnv(base_url=echo_url).sync() as env:
        env.reset()
        env.step(EchoAction(message="a"))
        with env.new_session() as other:
            assert isinstance(other.async_client, EchoEnv)
            other.reset()
            assert (other.state().step_count, env.state().step_count) == (0, 1)
        assert env.step(EchoAction(message="b")).observation.echoed_message == "b"


async def test_sessions_beside_one_another_awaited(echo_url: str) -> None:
    async with EchoEnv(base_url=echo_url) as env:
        await env.reset()
        other = await env.new_session()
        await other.reset()
        await other.step(EchoAction(message="a"))
        assert [(await client.state()).step_count for client in (env, other)] == [0, 1]
        await other.close()
        assert (await env.step(EchoAction(message="b"))).observation.echoed_message == "b"

"""Spaces of the Hub: found as the Hub names them, played where they run or run here, and a token goes to nobody else."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from counting import CounterEnv
from hub_stand_in import TOKEN, StandIn
from serving import running

import echo_env
from echo_env import EchoAction, EchoEnv
from echo_env.server.environment import EchoEnvironment
from openenv import AutoAction, AutoEnv, GenericEnvClient
from openenv.errors import LaunchError, UnauthorizedError, UsageError
from openenv.hub.running import RunningSpace
from openenv.launch.provider import ContainerProvider
from openenv.server import create_app

ECHO = Path(echo_env.__file__).parents[2]
HERE = {"UV_PROJECT_ENVIRONMENT": sys.prefix, "UV_NO_SYNC": "1", "UV_OFFLINE": "1", "PYTHONPATH": ":".join(sys.path)}
"""Lets uv run a project with the packages of this test's own interpreter, and install nothing."""


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[StandIn]:
    """A Hub with the Space openenv/echo_env, which nobody has a token for."""
    stand_in = StandIn(ECHO)
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(tmp_path / "token"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    with running(stand_in.app()) as url:
        monkeypatch.setenv("HF_ENDPOINT", url)
        yield stand_in


class Guarded:
    """The echo environment's server behind a check of the token, as a private Space is; notes what each request carried."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str, str | None]] = []
        self._app = create_app(EchoEnvironment, env_name="echo")

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "lifespan":
            token = dict(scope["headers"]).get(b"authorization")
            self.seen.append((scope["type"], scope["path"], token and token.decode()))
            if token != f"Bearer {TOKEN}".encode():
                if scope["type"] == "websocket":
                    await receive()
                    await send({"type": "websocket.close"})
                else:
                    await send({"type": "http.response.start", "status": 404, "headers": []})
                    await send({"type": "http.response.body"})
                return
        await self._app(scope, receive, send)


@pytest.fixture
def guarded(hub: StandIn) -> Iterator[Guarded]:
    """The Space, private, with its server."""
    guard = Guarded()
    with running(guard) as hub.host:
        hub.is_private = True
        yield guard


def test_a_running_space_is_played_where_the_hub_says_it_is(hub: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    seen: list[bytes] = []
    app = create_app(EchoEnvironment, env_name="echo")

    async def noting(scope: Any, receive: Any, send: Any) -> None:
        seen.extend(name for name, _ in scope.get("headers", ()))
        await app(scope, receive, send)

    with running(noting) as hub.host:
        for name in ("openenv/echo_env", "openenv/former_name"):
            with EchoEnv.from_env(name, where="space").sync() as env:
                env.reset()
                assert env.step(EchoAction(message="there")).observation.echoed_message == "there"
                assert env.async_client.base_url == hub.host
        with AutoEnv.from_env("openenv/echo_env").sync() as named:
            assert isinstance(named.async_client, EchoEnv)
            named.reset()
        with AutoEnv.from_env("openenv/echo_env", skip_install=True).sync() as generic:
            assert isinstance(generic.async_client, GenericEnvClient)
            generic.reset()
        assert AutoAction.from_env("openenv/echo_env") is EchoAction
    assert f"Bearer {TOKEN}" in hub.tokens
    assert b"authorization" not in seen, "a public Space is not told the token"


@pytest.mark.parametrize("transport", ["websocket", "http"])
async def test_a_private_space_is_given_the_token(guarded: Guarded, monkeypatch: pytest.MonkeyPatch, transport: str) -> None:
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    async with EchoEnv.from_env("openenv/echo_env", where="space", transport=transport) as env:
        await env.reset()
        assert (await env.step(EchoAction(message="hidden"))).observation.echoed_message == "hidden"
    assert {token for _, _, token in guarded.seen} == {f"Bearer {TOKEN}"}
    assert ("websocket" in {kind for kind, _, _ in guarded.seen}) is (transport == "websocket")


def test_without_a_token_a_private_space_is_not_to_be_seen(guarded: Guarded) -> None:
    with pytest.raises(LaunchError, match="no Space 'openenv/echo_env' on the Hub, or it is private: set HF_TOKEN"):
        EchoEnv.from_env("openenv/echo_env", where="space")
    with pytest.raises(LaunchError, match="may not see it"):
        EchoEnv.from_env("openenv/echo_env", where="space", token="hf_of_another")
    assert guarded.seen == []


async def test_the_token_goes_to_no_other_host(hub: StandIn) -> None:
    heads: dict[str, list[bytes]] = {"space": [], "other": []}

    async def space(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        heads["space"].append(head.lower())
        moved = f"HTTP/1.1 307 Moved\r\nLocation: ws://localhost:{port}/ws\r\nContent-Length: 0\r\n\r\n".encode()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" if head.startswith(b"GET /health") else moved)
        writer.close()

    async def other(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads["other"].append((await reader.readuntil(b"\r\n\r\n")).lower())
        writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    async with (
        await asyncio.start_server(other, "127.0.0.1", 0) as elsewhere,
        await asyncio.start_server(space, "127.0.0.1", 0) as here,
    ):
        port = elsewhere.sockets[0].getsockname()[1]
        hub.host, hub.is_private = f"http://127.0.0.1:{here.sockets[0].getsockname()[1]}", True
        with pytest.raises(UnauthorizedError):
            await EchoEnv.from_env("openenv/echo_env", where="space", token=TOKEN)
    assert all(b"authorization: bearer" in head for head in heads["space"])
    assert len(heads["space"]) == 2
    assert heads["other"]
    assert not [head for head in heads["other"] if TOKEN.encode() in head]


@pytest.mark.parametrize(
    ("stage", "name", "told"),
    [
        ("PAUSED", "openenv/echo_env", "does not run, but is PAUSED: its owner has paused it"),
        ("BUILDING", "openenv/echo_env", "is BUILDING: it is being built, which takes minutes"),
        ("BUILD_ERROR", "openenv/echo_env", "is BUILD_ERROR: its build failed"),
        ("RUNTIME_ERROR", "openenv/echo_env", "is RUNTIME_ERROR: its server failed"),
        ("CONFIG_ERROR", "openenv/echo_env", "is CONFIG_ERROR: its configuration is wrong"),
        ("NEW_ONE", "openenv/echo_env", "is NEW_ONE: that is no stage that can be played at; where='docker' or where='uv'"),
        ("RUNNING", "openenv/no_such", "no Space 'openenv/no_such' on the Hub"),
        ("RUNNING", "not a name", "did not give the Space 'not a name'"),
    ],
)
def test_what_is_not_to_be_had_is_said(hub: StandIn, stage: str, name: str, told: str) -> None:
    hub.stage = stage
    with pytest.raises(LaunchError, match=told) as line:
        EchoEnv.from_env(name, where="space")
    assert "\n" not in line.value.message


def test_what_the_hub_says_that_failed_is_repeated(hub: StandIn) -> None:
    hub.stage, hub.error = "RUNTIME_ERROR", "Exit code: 1.\nReason: no module named echo"
    with pytest.raises(LaunchError, match=r"is RUNTIME_ERROR \(Exit code: 1. Reason: no module named echo\): its"):
        EchoEnv.from_env("openenv/echo_env", where="space")


async def test_one_that_does_not_wake_was_asleep(hub: StandIn) -> None:
    hub.stage = "SLEEPING"
    space = RunningSpace("openenv/echo_env")
    space.start()
    with pytest.raises(LaunchError, match="it was asleep, and may need longer to wake"):
        space.wait_for_ready(0.1)


def test_a_space_is_fetched_and_run_here_by_uv(hub: StandIn) -> None:
    hub.is_private = True
    with EchoEnv.from_env("openenv/echo_env", use_docker=False, token=TOKEN, env_vars=HERE).sync() as env:
        env.reset()
        assert env.step(EchoAction(message="cloned")).observation.echoed_message == "cloned"
    assert set(hub.tokens) == {f"Bearer {TOKEN}"}


class Recorder(ContainerProvider):
    """Takes the name of an image for the address of a server that runs."""

    def __init__(self, url: str) -> None:
        self.url, self.calls = url, list[tuple[str, Any]]()

    def start_container(
        self, image: str, port: int | None = None, env_vars: dict[str, str] | None = None, **options: Any
    ) -> str:
        self.calls.append((image, env_vars))
        return self.url

    def stop_container(self) -> None:
        self.calls.append(("stopped", None))

    def wait_for_ready(self, base_url: str, timeout_s: float = 30.0) -> None:
        assert base_url == self.url


def test_a_space_s_image_is_run_by_the_provider_given() -> None:
    with running(create_app(EchoEnvironment, env_name="echo")) as url:
        provider = Recorder(url)
        with EchoEnv.from_env("OpenEnv/echo_env", provider=provider, env_vars={"A": "1"}).sync() as env:
            env.reset()
    assert provider.calls == [("registry.hf.space/openenv-echo-env:latest", {"A": "1"}), ("stopped", None)]


def test_a_mistake_in_the_call_is_one_line() -> None:
    with pytest.raises(UsageError, match="choose from space, docker, uv"):
        CounterEnv.from_env("openenv/echo_env", where="moon")
    with pytest.raises(UsageError, match="runs no container"):
        CounterEnv.from_env("openenv/echo_env", use_docker=False, provider=Recorder(""))

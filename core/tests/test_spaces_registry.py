"""Images of Spaces, fetched from a registry that asks who comes."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import containers
import pytest
from hub_stand_in import OWNER, TOKEN, StandIn
from serving import wait_until
from test_providers import free_port
from test_spaces import hub

from echo_env import EchoAction, EchoEnv
from openenv.errors import LaunchError

__all__ = ["hub"]

pytestmark = [pytest.mark.docker, pytest.mark.long]


@pytest.fixture
def registry(engine: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The name of the echo Space's image in a registry that lets in the owner with the token, and nobody else."""
    program, perl = shutil.which("docker-registry"), shutil.which("perl")
    if program is None or perl is None:
        containers.missing("a registry needs the command docker-registry, and perl")
    secret = ["perl", "-e", "print crypt($ARGV[0], q($2b$05$abcdefghijklmnopqrstuu))", TOKEN]
    hashed = subprocess.run(secret, capture_output=True, text=True, check=True).stdout
    (tmp_path / "users").write_text(f"{OWNER}:{hashed}\n")
    port = free_port()
    (tmp_path / "registry.yml").write_text(
        textwrap.dedent(f"""
            version: 0.1
            log: {{level: error}}
            storage: {{filesystem: {{rootdirectory: {tmp_path}/images}}}}
            http: {{addr: "127.0.0.1:{port}"}}
            auth: {{htpasswd: {{realm: test, path: {tmp_path}/users}}}}
        """)
    )
    containers.built("echo")
    name = f"127.0.0.1:{port}/openenv-echo-env:latest"
    monkeypatch.setenv("OPENENV_SPACE_REGISTRY", f"127.0.0.1:{port}")
    with subprocess.Popen([program, "serve", str(tmp_path / "registry.yml")], stderr=subprocess.DEVNULL) as serving:
        try:
            wait_until(lambda: listens(port), 20)
            engine.images.get("echo-env:latest").tag(name)
            pushed = engine.images.push(name, auth_config={"username": OWNER, "password": TOKEN})
            assert not [line for line in map(json.loads, pushed.splitlines()) if "error" in line], pushed
            engine.images.remove(name)
            yield name
        finally:
            serving.terminate()
            with contextlib.suppress(Exception):
                engine.images.remove(name)


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.parametrize("name", ["openenv/echo_env", "openenv/former_name"])
def test_a_private_space_s_image_is_fetched_with_the_token(engine: Any, hub: StandIn, registry: str, name: str) -> None:
    hub.is_private = True
    with EchoEnv.from_env(name, token=TOKEN).sync() as env:
        env.reset()
        assert env.step(EchoAction(message="fetched")).observation.echoed_message == "fetched"
        (running,) = containers.left(engine, os.getpid())
        assert registry in engine.containers.get(running.strip("/")).image.tags
    assert containers.left(engine, os.getpid()) == set()


def test_without_a_token_the_registry_s_no_is_told(engine: Any, hub: StandIn, registry: str) -> None:
    with pytest.raises(LaunchError, match=f"there is no image {registry} here, and it cannot be fetched.*no basic auth"):
        EchoEnv.from_env("openenv/echo_env")
    hub.is_private = True
    with pytest.raises(LaunchError, match="may not see it"):
        EchoEnv.from_env("openenv/echo_env", token="hf_of_another")
    assert hub.tokens == ["Bearer hf_of_another"]


def test_a_public_space_s_registry_is_not_told_the_token(engine: Any, hub: StandIn, registry: str) -> None:
    with pytest.raises(LaunchError, match="no basic auth"):
        EchoEnv.from_env("openenv/echo_env", token=TOKEN)

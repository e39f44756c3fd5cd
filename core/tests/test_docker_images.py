"""The images of the checkout: what they promise whoever runs them, and that a folder builds by itself."""

from __future__ import annotations

import asyncio
import functools
import http.server
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import containers
import pytest
import yaml
from containers import ROOT

from openenv import AutoAction, AutoEnv
from openenv.launch.docker import LocalDockerProvider

FOLDERS = sorted(path.parent for path in ROOT.glob("envs/*/pyproject.toml"))
needs_engine = pytest.mark.docker


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: str(folder.name))
def test_a_folder_is_a_space_as_it_stands(folder: Path) -> None:
    """The port of the front matter is the one served, and the user the one that Spaces run as."""
    text = (folder / "Dockerfile").read_text()
    front = yaml.safe_load((folder / "README.md").read_text().split("---\n")[1])
    manifest = yaml.safe_load((folder / "openenv.yaml").read_text())
    (command,) = re.findall(r"^CMD (\[.*\])$", text, re.MULTILINE)
    start = yaml.safe_load(command)
    assert (front["sdk"], front["app_port"]) == ("docker", manifest["port"])
    assert start[1:4] == ["-m", "openenv.server", manifest["app"]]
    assert start[-4:] == ["--host", "0.0.0.0", "--port", str(front["app_port"])]
    assert re.findall(r"^EXPOSE (\d+)$", text, re.MULTILINE) == [str(front["app_port"])]
    assert re.findall(r"^USER (.*)$", text, re.MULTILINE)[-1] == "1000"
    assert "--uid 1000" in text
    assert re.findall(r"^ARG BASE_IMAGE=(.*)$", text, re.MULTILINE) == ["python:3.11-slim"]
    assert (folder / ".dockerignore").read_text().startswith("*\n")


@dataclass
class Play:
    """How an environment is played here.

    Attributes:
        reset: what its reset is given.
        action: of an observation, the fields of the next action.
    """

    reset: dict[str, Any]
    action: Callable[[Any], dict[str, Any]]


PLAYS = {
    "echo": Play({}, lambda seen: {"message": "hello"}),
    "coding": Play({"seed": 7}, lambda seen: {"code": "print('hello')"}),
    "connect4": Play({"seed": 7}, lambda seen: {"column": seen.legal_actions[0]}),
    "openspiel": Play({"seed": 7, "game_name": "tic_tac_toe"}, lambda seen: {"action_id": seen.legal_actions[0]}),
    "textarena": Play({"seed": 7, "env_id": "TicTacToe-v0"}, lambda seen: {"message": "[4]"}),
}
MOST_STEPS = 60


def clients(folder: Path) -> tuple[Any, Any, Play]:
    """Return an environment's typed client, its action, and how it is played: reset alone, where nothing is said."""
    name = folder.name
    return AutoEnv.get_env_class(name), AutoAction.from_env(name), PLAYS.get(name, Play({}, lambda seen: {}))


async def episode(folder: Path) -> int:
    """Play an episode in a container of the folder's image, to its end or the most steps; return how many it took."""
    client, action, play = clients(folder)
    env = await client.from_docker_image(f"{folder.name}-env:latest")
    try:
        result, steps = await env.reset(**play.reset), 0
        while folder.name in PLAYS and not result.done and steps < MOST_STEPS:
            result = await env.step(action(**play.action(result.observation)))
            steps += 1
        assert (await env.state()).step_count == steps
        return steps
    finally:
        await env.close()


@needs_engine
@pytest.mark.timeout(900)  # it builds what is not up to date
async def test_every_image_plays_an_episode(engine: Any) -> None:
    containers.built(*(folder.name for folder in FOLDERS))
    steps = await asyncio.gather(*map(episode, FOLDERS))
    played = dict(zip((folder.name for folder in FOLDERS), steps, strict=True))
    assert {name for name, count in played.items() if count} >= PLAYS.keys()
    assert containers.left(engine, os.getpid()) == set()


@needs_engine
@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: str(folder.name))
def test_every_image_plays_without_await(engine: Any, folder: Path) -> None:
    containers.built(folder.name)
    client, action, play = clients(folder)
    with client.from_docker_image(f"{folder.name}-env:latest").sync() as env:
        result = env.reset(**play.reset)
        if folder.name in PLAYS:
            result = env.step(action(**play.action(result.observation)))
            assert env.state().step_count == 1
    assert containers.left(engine, os.getpid()) == set()


@needs_engine
def test_an_image_tells_its_health(engine: Any) -> None:
    containers.built("echo")
    health = engine.images.get("echo-env:latest").attrs["Config"]["Healthcheck"]["Test"]
    assert health[0] == "CMD"
    provider = LocalDockerProvider()
    try:
        provider.wait_for_ready(provider.start_container("echo-env:latest"), 60.0)
        (name,) = containers.left(engine, os.getpid())
        for command, code in ((health[1:], 0), ([part.replace("8000", "8001") for part in health[1:]], 1)):
            job = engine.api.exec_create(name.strip("/"), command)
            engine.api.exec_start(job["Id"])
            assert engine.api.exec_inspect(job["Id"])["ExitCode"] == code
    finally:
        provider.close()


@pytest.fixture
def index(tmp_path: Path) -> Iterator[str]:
    """The URL of a package index that has openenv-core."""
    place = tmp_path / "index" / "openenv-core"
    wheel = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(place), str(ROOT / "core")]
    subprocess.run(wheel, check=True)
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(place.parent))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@needs_engine
@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("buildkit", ["0", "1"], ids=["classic", "buildkit"])
@pytest.mark.parametrize("source", FOLDERS, ids=lambda folder: str(folder.name))
def test_a_folder_builds_by_itself(engine: Any, index: str, tmp_path: Path, source: Path, buildkit: str) -> None:
    """With the core from an index. A change of its code leaves the layers with what it depends on as they are."""
    folder, tag = tmp_path / source.name, f"openenv-test-alone-{source.name}:{buildkit}"
    shutil.copytree(source, folder, ignore=shutil.ignore_patterns("__pycache__", "tests"))
    base = os.environ.get("BASE_IMAGE", "python:3.11-slim")
    settings = ["BASE_IMAGE=" + base, "PIP_EXTRA_INDEX_URL=" + index]
    command = [containers.docker_command(buildkit), "build", "--network", "host", "--tag", tag, str(folder)]
    command += [part for setting in settings for part in ("--build-arg", setting)]

    def layers() -> list[str]:
        done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "DOCKER_BUILDKIT": buildkit})
        assert done.returncode == 0, done.stderr[-3000:]
        found: list[str] = engine.images.get(tag).attrs["RootFS"]["Layers"]
        return found

    first = layers()
    (client,) = folder.glob("src/*/client.py")
    client.write_text(client.read_text() + "\n")
    second = layers()
    assert (second[:-2], second != first) == (first[:-2], True)
    provider = LocalDockerProvider()
    try:
        provider.wait_for_ready(provider.start_container(tag), 60.0)
    finally:
        provider.close()
        engine.images.remove(tag)

"""The images of the checkout: what they promise whoever runs them, and that a folder builds by itself."""

from __future__ import annotations

import functools
import http.server
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import containers
import pytest
import yaml
from containers import ROOT

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


def docker_command(buildkit: str) -> str:
    """Return a docker command that builds so, with BuildKit or the classic builder."""
    candidates = dict.fromkeys(filter(None, [shutil.which("docker"), "/usr/bin/docker"]))
    builds = (c for c in candidates if _builds(c, buildkit))
    return next(builds, None) or containers.missing(f"no docker command here builds with DOCKER_BUILDKIT={buildkit}")


def _builds(command: str, buildkit: str) -> bool:
    trial = subprocess.run(
        [command, "build", "--quiet", "-"],
        input=b"FROM scratch\nLABEL trial=yes\n",
        capture_output=True,
        env={**os.environ, "DOCKER_BUILDKIT": buildkit},
    )
    return trial.returncode == 0


@needs_engine
@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("buildkit", ["0", "1"])
def test_a_folder_builds_by_itself(engine: Any, index: str, tmp_path: Path, buildkit: str) -> None:
    """With the core from an index. A change of its code leaves the layers with what it depends on as they are."""
    folder, tag = tmp_path / "echo", f"openenv-test-alone:{buildkit}"
    shutil.copytree(ROOT / "envs/echo", folder, ignore=shutil.ignore_patterns("__pycache__", "tests"))
    base = os.environ.get("BASE_IMAGE", "python:3.11-slim")
    settings = ["BASE_IMAGE=" + base, "PIP_EXTRA_INDEX_URL=" + index]
    command = [docker_command(buildkit), "build", "--network", "host", "--tag", tag, str(folder)]
    command += [part for setting in settings for part in ("--build-arg", setting)]

    def layers() -> list[str]:
        done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "DOCKER_BUILDKIT": buildkit})
        assert done.returncode == 0, done.stderr[-3000:]
        found: list[str] = engine.images.get(tag).attrs["RootFS"]["Layers"]
        return found

    first = layers()
    client = folder / "src/echo_env/client.py"
    client.write_text(client.read_text() + "\n")
    second = layers()
    assert (second[:-2], second != first) == (first[:-2], True)
    provider = LocalDockerProvider()
    try:
        provider.wait_for_ready(provider.start_container(tag), 60.0)
    finally:
        provider.close()
        engine.images.remove(tag)

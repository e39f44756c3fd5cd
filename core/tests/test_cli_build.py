"""`openenv build` and `openenv push --registry`: images that a real engine builds, a real registry keeps, and that play."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import containers
import pytest
from commanding import ENVS, flat_folder, run
from image_registry import image_registry

from openenv import GenericEnvClient

pytestmark = pytest.mark.docker

DOCKERFILE = """ARG BASE_IMAGE=nowhere.invalid/none:latest
FROM ${BASE_IMAGE}
ARG GREETING
ENV GREETING=${GREETING}
WORKDIR /app
COPY . .
USER 1000
HEALTHCHECK CMD ["true"]
CMD ["python3", "-m", "openenv.server", "server.app:app", "--host", "0.0.0.0", "--port", "8000"]
"""
PROJECT = "[project]\nname = 'parrot-env'\nversion = '1.0'\nrequires-python = '>=3.11'\ndependencies = ['openenv-core']\n"
BASE = "openenv-base:latest"


@pytest.fixture
def parrot(tmp_path: Path, engine: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A flat folder with its Dockerfile beside the server, and a base image to build it on; no image of it is left."""
    containers.built("base")
    monkeypatch.setenv("BASE_IMAGE", BASE)
    folder = flat_folder(tmp_path / "parrot")
    (folder / "pyproject.toml").write_text(PROJECT)
    (folder / "server" / "Dockerfile").write_text(DOCKERFILE)
    yield folder
    for image in engine.images.list():
        if any("parrot-env" in tag for tag in image.tags):
            engine.images.remove(image.id, force=True)


def variables(engine: Any, image: str) -> set[str]:
    return set(engine.images.get(image).attrs["Config"]["Env"])


def test_a_flat_folder_is_built_and_the_lines_told_play_it(parrot: Path, engine: Any) -> None:
    done = run("build", str(parrot), "--build-arg", "GREETING=hello there")
    assert done.returncode == 0, done.stderr
    first, play, _, *lines = done.stdout.splitlines()
    assert first.startswith("built parrot-env:latest: ")
    assert play == "play it with openenv play parrot-env:latest, or:"
    assert "COPY . ." in done.stderr
    assert "GREETING=hello there" in variables(engine, "parrot-env:latest")
    told: dict[str, Any] = {}
    exec("\n".join(lines).replace("print(", "heard = ("), told)
    assert told["heard"]["heard"] == ""


def test_the_other_layout_another_tag_and_another_dockerfile(parrot: Path, tmp_path: Path, engine: Any) -> None:
    folder = tmp_path / "mine"
    shutil.copytree(ENVS / "echo", folder, ignore=shutil.ignore_patterns("__pycache__", "src"))
    (folder / "src" / "echo_env" / "server").mkdir(parents=True)
    (folder / "src" / "echo_env" / "server" / "app.py").write_text("")
    (folder / "small.Dockerfile").write_text('FROM scratch\nCOPY . /only\nCMD ["true"]\n')
    context = tmp_path / "context"
    context.mkdir()
    (context / "file").write_text("of the context")
    given = ["-t", "parrot-env:other", "-f", "small.Dockerfile", "-c", str(context), "--no-cache"]
    done = run("build", str(folder), *given)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("built parrot-env:other: ")
    container = engine.containers.create("parrot-env:other")
    try:
        assert container.get_archive("/only/file")[1]["size"] == len("of the context")
    finally:
        container.remove()


def test_a_build_that_fails_ends_with_what_docker_said(parrot: Path, engine: Any) -> None:
    before = {container.id for container in engine.containers.list(all=True, filters={"status": "exited"})}
    with (parrot / "server" / "Dockerfile").open("a") as dockerfile:
        dockerfile.write("RUN echo it went wrong here && false\n")
    done = run("build", str(parrot))
    assert (done.returncode, done.stdout) == (1, "")
    told = done.stderr[done.stderr.index("openenv: the image was not built") :]
    assert "it went wrong here" in told
    assert len(told.splitlines()) <= 21
    assert "Traceback" not in told
    left = {container.id for container in engine.containers.list(all=True, filters={"status": "exited"})} - before
    assert not [one for one in left if "went wrong" in str(engine.containers.get(one).attrs["Config"]["Cmd"])]


def test_an_image_is_pushed_to_a_registry_and_comes_back_from_there(parrot: Path, engine: Any, tmp_path: Path) -> None:
    """A small one, which only carries the folder."""
    small = DOCKERFILE.replace("FROM ${BASE_IMAGE}", "FROM scratch")
    (parrot / "server" / "Dockerfile").write_text(small)
    with image_registry(tmp_path) as place:
        image = f"{place}/mine/parrot-env:latest"
        dry = run("push", str(parrot), "--registry", f"{place}/mine", "--dry-run")
        assert f"would run: docker push {image}\n" in dry.stdout
        assert not (tmp_path / "images").exists()
        done = run("push", str(parrot), "--registry", f"{place}/mine", "--no-interface")
        assert done.returncode == 0, done.stderr
        assert f"pushed {image}: " in done.stdout
        built = engine.images.get(image).id
        engine.images.remove(image, force=True)
        assert engine.images.pull(image).id == built
        assert "ENABLE_WEB_INTERFACE=false" in variables(engine, image)
    assert (parrot / "server" / "Dockerfile").read_text() == small


@pytest.mark.long
@pytest.mark.timeout(300)
def test_an_image_is_run_from_a_registry(parrot: Path, engine: Any, tmp_path: Path) -> None:
    with image_registry(tmp_path) as place:
        image = f"{place}/mine/parrot-env:1.0"
        done = run("push", str(parrot), "--registry", image, "-b", BASE, timeout_s=250)
        assert done.returncode == 0, done.stderr
        engine.images.remove(image, force=True)
        with GenericEnvClient.from_docker_image(image).sync() as env:
            env.reset()
            assert env.step({"word": "hello"}).observation["heard"] == "hello"


def test_a_registry_that_refuses_is_told(parrot: Path, tmp_path: Path) -> None:
    done = run("push", str(parrot), "--registry", "127.0.0.1:1/mine")
    assert done.returncode == 1
    told = done.stderr[done.stderr.index("openenv: ") :]
    assert told.startswith("openenv: 127.0.0.1:1/mine/parrot-env:latest was not pushed (docker login")
    assert "refused" in told


@pytest.mark.parametrize("variable", ["PATH", "DOCKER_HOST"])
def test_what_is_missing_is_told(parrot: Path, variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, {"PATH": "/nowhere", "DOCKER_HOST": "unix:///nowhere.sock"}[variable])
    done = run("build", str(parrot))
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert {"PATH": "no docker command: install", "DOCKER_HOST": "no container engine answers"}[variable] in last

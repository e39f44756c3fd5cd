"""Images are pushed to a real registry, and play from there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import containers
import pytest
from image_registry import image_registry
from scripting import last_line, script, version

from openenv import GenericEnvClient

LOCAL = "echo-env:latest"


@pytest.fixture(scope="module")
def engine() -> Iterator[Any]:
    """A client of the container engine, which has the image of echo."""
    client = containers.engine()
    containers.built("echo")
    yield client
    client.close()


@pytest.fixture
def registry(engine: Any, tmp_path: Path) -> Iterator[str]:
    """A registry without images, with the path that is pushed to; no image of it is left here."""
    with image_registry(tmp_path) as place:
        yield f"{place}/mine"
        forget(engine, place)


def forget(engine: Any, registry: str) -> None:
    """Remove the names that begin with a registry from this machine."""
    for name in [tag for image in engine.images.list() for tag in image.tags if tag.startswith(registry)]:
        engine.images.remove(name, force=True)


@pytest.mark.docker
def test_an_image_is_pushed_as_its_version_and_as_latest_and_plays_from_the_registry(engine: Any, registry: str) -> None:
    done = script("push-image", "echo", variables={"IMAGE_REGISTRY": registry})
    assert done.returncode == 0, done.stderr
    of_version = f"{registry}/echo-env:{version('echo')}"
    assert f"Pushing {LOCAL} as {of_version}\n" in done.stdout
    forget(engine, registry)
    pulled = engine.images.pull(f"{registry}/echo-env", tag="latest")
    assert pulled.id == engine.images.get(LOCAL).id
    forget(engine, registry)
    with GenericEnvClient.from_docker_image(of_version).sync() as env:
        env.reset()
        assert env.step({"message": "pushed"}).observation["echoed_message"] == "pushed"


@pytest.mark.docker
def test_a_version_that_is_not_final_is_not_the_latest(engine: Any, registry: str) -> None:
    done = script("push-image", "echo", "--tag", "1.2.0rc1", variables={"IMAGE_REGISTRY": registry})
    assert done.returncode == 0, done.stderr
    tags = {name.rpartition(":")[2] for name in engine.images.get(LOCAL).tags if name.startswith(registry)}
    assert tags == {"1.2.0rc1"}


@pytest.mark.docker
def test_a_registry_that_refuses_is_told(engine: Any) -> None:
    done = script("push-image", "echo", variables={"IMAGE_REGISTRY": "127.0.0.1:1/mine"})
    forget(engine, "127.0.0.1:1/")
    assert done.returncode == 1
    assert f"push-image: 127.0.0.1:1/mine/echo-env:{version('echo')} was not pushed (docker login" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "registry", "told"),
    [
        (["nothing"], "ghcr.io/me", "there is no package 'nothing'"),
        (["core"], "ghcr.io/me", "there is no image of 'core': choose base or"),
        (["echo"], "", "IMAGE_REGISTRY is not set"),
        (["echo"], "https://ghcr.io/Me", "IMAGE_REGISTRY='https://ghcr.io/Me' is no registry"),
        (["echo"], "ghcr.io/me/echo-env:1", "is no registry"),
        (["echo", "--tag", "1.0+mine"], "ghcr.io/me", "'1.0+mine' is no version of an image"),
        (["echo", "--tag", "newest"], "ghcr.io/me", "'newest' is no version"),
    ],
)
def test_what_cannot_be_pushed_is_told(arguments: list[str], registry: str, told: str) -> None:
    done = script("push-image", *arguments, variables={"IMAGE_REGISTRY": registry})
    assert (done.returncode, done.stdout) == (2, "")
    assert told in last_line(done)

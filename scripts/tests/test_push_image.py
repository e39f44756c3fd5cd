"""Images are pushed to a real registry, and play from there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import containers
import httpx
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


@pytest.fixture(scope="module")
def registry(engine: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The host and port of a registry without images; no image of it is left here."""
    with image_registry(tmp_path_factory.mktemp("registry")) as place:
        yield place
        forget(engine, place)


def forget(engine: Any, registry: str) -> None:
    """Remove the names that begin with a registry from this machine."""
    for name in [tag for image in engine.images.list() for tag in image.tags if tag.startswith(registry)]:
        engine.images.remove(name, force=True)


def tags(registry: str, image: str) -> set[str]:
    """Return the tags that a registry has of an image."""
    return set(httpx.get(f"http://{registry}/v2/{image}/tags/list").json()["tags"])


@pytest.mark.docker
def test_an_image_is_pushed_as_its_version_and_as_latest_and_plays_from_the_registry(engine: Any, registry: str) -> None:
    done = script("push-image", "echo", variables={"IMAGE_REGISTRY": f"{registry}/mine"})
    assert done.returncode == 0, done.stderr
    of_version = f"{registry}/mine/echo-env:{version('echo')}"
    assert f"Pushing {LOCAL} as {of_version}\n" in done.stdout
    assert tags(registry, "mine/echo-env") == {version("echo"), "latest"}
    pushed = engine.images.get(LOCAL).id
    forget(engine, registry)
    engine.images.remove(LOCAL, force=True)
    try:
        assert engine.images.pull(f"{registry}/mine/echo-env", tag="latest").id == pushed
        forget(engine, registry)
        with GenericEnvClient.from_docker_image(of_version).sync() as env:
            env.reset()
            assert env.step({"message": "pushed"}).observation["echoed_message"] == "pushed"
        assert engine.images.get(of_version).id == pushed
    finally:
        engine.images.pull(of_version).tag("echo-env", "latest")


@pytest.mark.docker
def test_a_version_that_is_not_final_is_not_the_latest(registry: str) -> None:
    done = script("push-image", "echo", "--tag", "1.2.0rc1", variables={"IMAGE_REGISTRY": f"{registry}/other"})
    assert done.returncode == 0, done.stderr
    assert tags(registry, "other/echo-env") == {"1.2.0rc1"}


@pytest.mark.docker
@pytest.mark.long
@pytest.mark.timeout(1800)
def test_every_image_is_pushed_and_runs_from_the_registry(engine: Any, registry: str) -> None:
    containers.built()
    for name in json.loads(script("matrix").stdout)["images"]:
        done = script("push-image", name, variables={"IMAGE_REGISTRY": f"{registry}/all"}, timeout_s=600)
        assert done.returncode == 0, f"{name}: {done.stderr}"
        forget(engine, registry)
        image = f"{registry}/all/{name}-env:{version(name)}"
        with GenericEnvClient.from_docker_image(image, startup_timeout_s=120).sync() as env:
            assert not env.reset().done, name
        forget(engine, registry)
    done = script("push-image", "base", variables={"IMAGE_REGISTRY": f"{registry}/all"})
    assert (done.returncode, tags(registry, "all/openenv-base")) == (0, {version("core"), "latest"})


@pytest.mark.docker
def test_a_registry_that_refuses_is_told(engine: Any) -> None:
    done = script("push-image", "echo", variables={"IMAGE_REGISTRY": "127.0.0.1:1/mine"})
    forget(engine, "127.0.0.1:1/")
    assert done.returncode == 1
    assert f"push-image: 127.0.0.1:1/mine/echo-env:{version('echo')} was not pushed: " in done.stderr
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

"""The commands that build images of several platforms; who pushes is told to a real registry."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import containers
import pytest
from image_registry import image_registry
from scripting import last_line, script, version

REGISTRY = {"IMAGE_REGISTRY": "registry.example/mine"}


def build(*arguments: str, variables: Mapping[str, str] = REGISTRY) -> str:
    """Return the command that would build."""
    done = script("push-platforms", *arguments, "--dry-run", variables=variables)
    assert done.returncode == 0, done.stderr
    builder, command = done.stdout.splitlines()[-2:]
    assert builder.startswith("docker buildx create --name openenv-platforms ")
    return command


def test_an_image_of_a_version_is_built_for_two_platforms_on_the_base_of_the_same_registry() -> None:
    command = build("echo")
    assert command.startswith("docker buildx build --builder openenv-platforms ")
    assert " --platform linux/amd64,linux/arm64 --provenance mode=max --push " in command
    assert " --build-arg BASE_IMAGE=registry.example/mine/openenv-base:latest " in command
    tags = f" --tag registry.example/mine/echo-env:{version('echo')} --tag registry.example/mine/echo-env:latest "
    assert command.endswith(f"{tags}envs/echo")


def test_a_tag_of_its_own_replaces_the_version_and_latest_and_is_taken_of_the_base_too() -> None:
    command = build("echo", "--tag", "edge", "--platform", "linux/arm64")
    assert command.endswith(" --tag registry.example/mine/echo-env:edge envs/echo")
    assert "BASE_IMAGE=registry.example/mine/openenv-base:edge " in command
    assert "--platform linux/arm64 " in command
    of_base = build("base", "--tag", "edge")
    assert of_base.endswith(" BASE_IMAGE=python:3.11-slim --tag registry.example/mine/openenv-base:edge core")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("nothing",), "there is no package 'nothing'"),
        (("core",), "there is no image of 'core'"),
        (("echo", "--tag", "a b"), "'a b' is no tag of an image"),
        (("echo", "--platform", "arm64"), "'arm64' are no platforms"),
    ],
)
def test_what_cannot_be_built_is_refused(arguments: tuple[str, ...], told: str) -> None:
    done = script("push-platforms", *arguments, variables=REGISTRY)
    assert done.returncode == 2
    assert told in last_line(done)


def test_an_engine_without_buildx_is_told_in_one_line(tmp_path: Path) -> None:
    engine = tmp_path / "docker"
    engine.write_text("#!/bin/sh\nexit 1\n")
    engine.chmod(0o755)
    done = script("push-platforms", "echo", variables={**REGISTRY, "PATH": f"{tmp_path}:{os.environ['PATH']}"})
    assert done.returncode == 2
    assert last_line(done) == "push-platforms: there is no docker buildx command: install Docker with its buildx plugin"


@pytest.mark.docker
def test_a_registry_is_told_who_pushes_and_refuses_a_wrong_password(tmp_path: Path) -> None:
    containers.engine().close()
    if shutil.which("perl") is None:
        containers.missing("a registry with a password needs perl")
    secret = ["perl", "-e", "print crypt($ARGV[0], q($2b$05$abcdefghijklmnopqrstuu))", "open sesame"]
    hashed = subprocess.run(secret, capture_output=True, text=True, check=True).stdout
    (tmp_path / "users").write_text(f"me:{hashed}\n")
    with image_registry(tmp_path, tmp_path / "users") as place:
        told = {"IMAGE_REGISTRY": f"{place}/mine", "REGISTRY_USER": "me", "DOCKER_CONFIG": str(tmp_path / "config")}
        done = script("registry-login", variables={**told, "REGISTRY_PASSWORD": "wrong"})
        assert done.returncode == 1
        assert last_line(done).startswith(f"registry-login: {place} does not take me: ")
        done = script("registry-login", variables={**told, "REGISTRY_PASSWORD": "open sesame"})
        assert (done.returncode, done.stdout) == (0, f"{place} knows me\n"), done.stderr
    done = script("registry-login", variables={**told, "REGISTRY_PASSWORD": ""})
    assert done.returncode == 2
    assert last_line(done) == "registry-login: REGISTRY_PASSWORD is not set: see --help"

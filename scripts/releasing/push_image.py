"""Pushes the images that scripts/images built to a registry."""

from __future__ import annotations

import argparse
import subprocess
from pathlib import Path

from packaging.version import InvalidVersion, Version

from openenv.errors import OpenEnvError
from openenv.hub.docker_command import DockerCommand
from openenv.hub.image_name import image_at

from .packages import CORE, package
from .refusal import Failure, Refusal, run, variable

BASE = "base"
LATEST = "latest"


def pushed_names(root: Path, name: str, registry: str, version: str | None = None) -> tuple[str, list[str]]:
    """Return the name that an image has on this machine, and those that it gets at a registry.

    Args:
        root: the checkout.
        name: `base`, or a folder below `envs`.
        registry: its host, and a path if it has one.
        version: None takes the one in the folder. One that is not final does not become `latest`.

    Raises:
        Refusal: there is no such image, registry or version.
    """
    wanted = package(root, CORE if name == BASE else name)
    if name == CORE or not (wanted.folder / "Dockerfile").is_file():
        raise Refusal(f"there is no image of {name!r}: choose base or a folder under envs that has a Dockerfile")
    image = "openenv-base" if name == BASE else f"{wanted.name}-env"
    number = version or wanted.version
    tags = (number, LATEST) if _is_final(number) else (number,)
    return f"{image}:{LATEST}", [_at(registry, f"{image}:{tag}") for tag in tags]


def _is_final(number: str) -> bool:
    try:
        version = Version(number)
    except InvalidVersion:
        raise Refusal(f"{number!r} is no version: one is 0.5.0 or 0.5.0rc1") from None
    if str(version) != number or version.local:
        raise Refusal(f"{number!r} is no version of an image: one is 0.5.0 or 0.5.0rc1")
    return not version.is_prerelease


def _at(registry: str, image: str) -> str:
    try:
        found = image_at(registry, image)
    except OpenEnvError:
        found = ""
    if not found.endswith(f"/{image}"):
        raise Refusal(f"IMAGE_REGISTRY={registry!r} is no registry: give a host and a path in small letters: ghcr.io/me")
    return found


def push(local: str, names: list[str]) -> None:
    """Push an image of this machine under other names.

    Raises:
        Failure: it is not here, no engine answers, or the registry refuses it.
    """
    try:
        docker = DockerCommand()
        docker.size_bytes(local)
        for name in names:
            print(f"Pushing {local} as {name}", flush=True)
            subprocess.run(["docker", "tag", local, name], check=True)
            docker.push(name, lambda line: print(f"  {line}", flush=True))
    except OpenEnvError as error:
        raise Failure(error.message) from None


def main() -> None:
    """Push one image."""
    parser = argparse.ArgumentParser(prog="push-image", description="Push an image to the registry that IMAGE_REGISTRY names.")
    parser.add_argument("name", help="base, or a folder below envs")
    parser.add_argument("--tag", metavar="VERSION", help="instead of the version in the folder")
    given, registry = parser.parse_args(), variable("IMAGE_REGISTRY", "the registry to push to, such as ghcr.io/me")
    push(*pushed_names(Path.cwd(), given.name, registry, given.tag))


if __name__ == "__main__":
    run("push-image", main)

"""Builds an image for several platforms, and pushes it with its provenance."""

from __future__ import annotations

import argparse
import re
import shlex
import subprocess
from pathlib import Path

from .packages import CORE, ENVIRONMENTS
from .push_image import BASE, LATEST, pushed_names
from .refusal import Failure, Refusal, run, variable

BUILDER = "openenv-platforms"
"""The name of the builder; the engine's own cannot build for other platforms."""

PLATFORMS = "linux/amd64,linux/arm64"
PYTHON_IMAGE = "python:3.11-slim"

_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_PLATFORM_LIST = re.compile(r"[a-z0-9]+/[a-z0-9]+(/v[0-9]+)?(,[a-z0-9]+/[a-z0-9]+(/v[0-9]+)?)*")


def build_command(
    root: Path, name: str, registry: str, *, tag: str | None = None, platforms: str = PLATFORMS, base_image: str | None = None
) -> list[str]:
    """Return the command that builds and pushes an image.

    Args:
        root: the checkout.
        name: `base`, or a folder below `envs`.
        registry: its host, and a path if it has one.
        tag: None takes the version in the folder, and `latest` where that is final.
        platforms: separated by commas.
        base_image: what it is built on; None takes a Python for `base`, and the registry's `openenv-base` for the others.

    Raises:
        Refusal: there is no such image, registry, tag or platform.
    """
    _, names = pushed_names(root, name, registry)
    repository = names[0].rpartition(":")[0]
    if tag is not None:
        if not _TAG.fullmatch(tag):
            raise Refusal(f"{tag!r} is no tag of an image: one is edge or 0.5.0")
        names = [f"{repository}:{tag}"]
    if not _PLATFORM_LIST.fullmatch(platforms):
        raise Refusal(f"{platforms!r} are no platforms: write them as {PLATFORMS}")
    base_of_registry = f"{repository.rpartition('/')[0]}/openenv-base:{tag or LATEST}"
    return [
        *("docker", "buildx", "build", "--builder", BUILDER, "--progress", "plain"),
        *("--platform", platforms, "--provenance", "mode=max", "--push"),
        *("--build-arg", f"BASE_IMAGE={base_image or (PYTHON_IMAGE if name == BASE else base_of_registry)}"),
        *(part for each in names for part in ("--tag", each)),
        CORE if name == BASE else f"{ENVIRONMENTS}/{Path(name).name}",
    ]


def builder_command() -> list[str]:
    """Return the command that makes the builder."""
    return ["docker", "buildx", "create", "--name", BUILDER, "--driver", "docker-container", "--bootstrap"]


def _ready() -> bool:
    """Return whether the builder is there. Raises `Refusal` where there is no buildx."""
    try:
        found = subprocess.run(["docker", "buildx", "version"], capture_output=True).returncode == 0
    except FileNotFoundError:
        found = False
    if not found:
        raise Refusal("there is no docker buildx command: install Docker with its buildx plugin")
    return subprocess.run(["docker", "buildx", "inspect", BUILDER], capture_output=True).returncode == 0


def main() -> None:
    """Push one image, or print the commands."""
    parser = argparse.ArgumentParser(prog="push-platforms", description="Build an image for several platforms, and push it.")
    parser.add_argument("name", help="base, or a folder below envs")
    parser.add_argument("--tag", help="instead of the version in the folder and latest")
    parser.add_argument("--platform", default=PLATFORMS, help=f"separated by commas ({PLATFORMS})")
    parser.add_argument("--base-image", metavar="IMAGE", help="what it is built on")
    parser.add_argument("--dry-run", action="store_true", help="print the commands, and run none")
    given, registry = parser.parse_args(), variable("IMAGE_REGISTRY", "the registry to push to, such as ghcr.io/me")
    command = build_command(
        Path.cwd(), given.name, registry, tag=given.tag, platforms=given.platform, base_image=given.base_image
    )
    commands = [builder_command(), command]
    if not given.dry_run and _ready():
        commands = [command]
    for each in commands:
        print(shlex.join(each), flush=True)
        if not given.dry_run and subprocess.run(each).returncode:
            raise Failure(f"{given.name} was not pushed for {given.platform}: see above")


if __name__ == "__main__":
    run("push-platforms", main)

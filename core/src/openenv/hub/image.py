"""Container images of environments: built from their folders, and pushed to registries."""

from __future__ import annotations

import os
import re
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ..errors import UsageError
from .docker_command import DockerCommand
from .dockerfile import declares, published_dockerfile
from .environment_folder import EnvironmentFolder

PASSED_ON = ("BASE_IMAGE", "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL")
"""Environment variables that a build is given, where its Dockerfile takes them."""

STEP = re.compile(r"(?:Step \d+/\d+ : .+|#\d+ \[[^\]]*\d+/\d+\] .+)")
"""How either builder tells what it does next."""

Step = Callable[[str], None]
"""Is called with what begins: a step of a build, a layer's upload."""


@dataclass(frozen=True)
class Image:
    """An image on this machine.

    Attributes:
        name: with its tag, `my_game-env:latest`.
        size_bytes: all layers together.
        seconds: what building it took.
    """

    name: str
    size_bytes: int
    seconds: float


def build_image(
    folder: EnvironmentFolder,
    tag: str | None = None,
    *,
    context: Path | None = None,
    no_cache: bool = False,
    build_args: Mapping[str, str] | None = None,
    base_image: str | None = None,
    interface: bool | None = None,
    step: Step = lambda told: None,
) -> Image:
    """Build an environment's image by the docker command.

    Args:
        folder: what to build.
        tag: the image's name; None takes `folder.image`.
        context: the folder that the Dockerfile copies from; None takes the environment's own.
        no_cache: build every layer anew.
        build_args: values of the Dockerfile's arguments, over those of the environment variables `PASSED_ON`.
        base_image, interface: see `published_dockerfile`; the folder's own Dockerfile stays as it is.
        step: called with each step as it begins.

    Raises:
        UsageError: the context is no folder, or as `published_dockerfile` does.
        PublishError: there is no docker command, no engine answers, or the build failed.
    """
    name, place = tag or folder.image, context or folder.root
    if not place.is_dir():
        raise UsageError(f"{place} is no folder to build from")
    written = folder.dockerfile.read_text(encoding="utf-8")
    text = published_dockerfile(written, base_image, interface)
    given = dict(build_args or {})
    if base_image is not None:
        given["BASE_IMAGE"] = base_image
    arguments = ["--tag", name]
    if no_cache:
        arguments.append("--no-cache")
    for argument in PASSED_ON:
        if argument not in given and os.environ.get(argument) and declares(text, argument):
            arguments += ["--build-arg", argument]
    for argument, value in given.items():
        arguments += ["--build-arg", f"{argument}={value}"]
    docker, began = DockerCommand(), time.monotonic()
    with _written(text, folder.dockerfile, written) as dockerfile:
        docker.build([*arguments, "--file", str(dockerfile), str(place)], _steps(step))
    return Image(name, docker.size_bytes(name), time.monotonic() - began)


def image_at(registry: str, image: str) -> str:
    """Return an image's name at a registry: `ghcr.io/me/echo-env:latest` for `ghcr.io/me`, and a whole name as it is.

    Raises:
        UsageError: it is no registry's name.
    """
    given = registry.strip().removesuffix("/")
    if not given or "://" in given or given != given.lower() or any(part.isspace() for part in given):
        raise UsageError(f"--registry {registry!r}: give a host and a path in small letters, such as ghcr.io/me")
    host, slash, path = given.rpartition("/")
    return given if slash and host and ":" in path else f"{given}/{image}"


def push_image(image: Image, step: Step = lambda told: None) -> None:
    """Push an image to the registry that its name begins with. Raises `PublishError` where that fails."""
    DockerCommand().push(image.name, step)


def _steps(step: Step) -> Callable[[str], None]:
    def heard(line: str) -> None:
        if STEP.match(line):
            step(line)

    return heard


@contextmanager
def _written(text: str, own: Path, own_text: str) -> Iterator[Path]:
    """Yield a file with this text: the folder's own Dockerfile where it has it already."""
    if text == own_text:
        yield own
        return
    with tempfile.TemporaryDirectory(prefix="openenv-dockerfile-") as place:
        changed = Path(place) / "Dockerfile"
        changed.write_text(text, encoding="utf-8")
        yield changed

"""Container images of environments, on this machine and at registries."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .docker_command import DockerCommand

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


def push_image(image: Image, step: Step = lambda told: None) -> None:
    """Push an image to the registry that its name begins with. Raises `PublishError` where that fails."""
    DockerCommand().push(image.name, step)

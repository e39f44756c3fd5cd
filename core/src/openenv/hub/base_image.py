"""What an environment's image is built on where nobody says."""

from __future__ import annotations

from pathlib import Path

from .docker_command import DockerCommand

BASE_IMAGE = "BASE_IMAGE"
"""The argument of Dockerfiles, and the environment variable, that names an image to build on."""

OPENENV_BASE = "openenv-base:latest"
"""A Python with openenv-core."""

CORE_FOLDER = Path(__file__).parents[3]
"""Where this package runs from a checkout, the folder whose Dockerfile makes `OPENENV_BASE`."""


def is_checkout() -> bool:
    """Return whether this package runs from a checkout."""
    return all((CORE_FOLDER / name).is_file() for name in ("Dockerfile", "pyproject.toml"))


def openenv_base(docker: DockerCommand, asked: str | None) -> str | None:
    """Return the image with openenv-core that is on this machine, or None where there is none that may be taken.

    Args:
        docker: whose images.
        asked: the image that is to be built on, or None where that is left to the Dockerfile. The one with openenv-core is
            taken instead only where it is this very image with more on top.
    """
    there = docker.layers(OPENENV_BASE)
    below = docker.layers(asked) if asked else []
    if there is None or below is None:
        return None
    return OPENENV_BASE if there[: len(below)] == below else None

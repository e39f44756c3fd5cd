"""Servers in containers of a Docker or Podman engine."""

from .options import DockerOptions
from .provider import LocalDockerProvider

__all__ = ["DockerOptions", "LocalDockerProvider"]

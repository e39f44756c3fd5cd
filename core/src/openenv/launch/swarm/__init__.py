"""Servers as services of a Docker swarm."""

from .options import SwarmOptions
from .provider import DockerSwarmProvider

__all__ = ["DockerSwarmProvider", "SwarmOptions"]

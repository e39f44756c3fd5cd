"""`openenv.core.containers.runtime`: what starts servers."""

from ....launch.provider import (
    ContainerProvider,
    RuntimeProvider,
)

__all__ = [
    "ContainerProvider",
    "RuntimeProvider",
]

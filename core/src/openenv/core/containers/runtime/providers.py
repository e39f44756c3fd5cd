"""`openenv.core.containers.runtime.providers`."""

from ....launch.provider import (
    ContainerProvider,
    RuntimeProvider,
)

__all__ = [
    "ContainerProvider",
    "RuntimeProvider",
]

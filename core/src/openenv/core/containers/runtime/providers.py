"""`openenv.core.containers.runtime.providers`."""

from ....launch.docker import (
    LocalDockerProvider,
)
from ....launch.provider import (
    ContainerProvider,
    RuntimeProvider,
)

__all__ = [
    "ContainerProvider",
    "LocalDockerProvider",
    "RuntimeProvider",
]

"""`openenv.core.containers.runtime`: what starts servers."""

from ....launch.docker import (
    LocalDockerProvider,
)
from ....launch.provider import (
    ContainerProvider,
    RuntimeProvider,
)
from ....launch.uv import (
    UVProvider,
)

__all__ = [
    "ContainerProvider",
    "LocalDockerProvider",
    "RuntimeProvider",
    "UVProvider",
]

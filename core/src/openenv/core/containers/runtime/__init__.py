"""`openenv.core.containers.runtime`: what starts servers."""

from ....launch.docker import (
    LocalDockerProvider,
)
from ....launch.kubernetes import (
    KubernetesProvider,
)
from ....launch.provider import (
    ContainerProvider,
    RuntimeProvider,
)
from ....launch.swarm import (
    DockerSwarmProvider,
)
from ....launch.uv import (
    UVProvider,
)

__all__ = [
    "ContainerProvider",
    "DockerSwarmProvider",
    "KubernetesProvider",
    "LocalDockerProvider",
    "RuntimeProvider",
    "UVProvider",
]

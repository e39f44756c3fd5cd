"""`openenv.core.containers.runtime.providers`."""

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

__all__ = [
    "ContainerProvider",
    "DockerSwarmProvider",
    "KubernetesProvider",
    "LocalDockerProvider",
    "RuntimeProvider",
]

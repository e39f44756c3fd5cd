"""Kubernetes, where servers are put by manifests rather than by a client."""

from __future__ import annotations

from typing import Any, NoReturn

from ..errors import LaunchError
from .provider import ContainerProvider


class KubernetesProvider(ContainerProvider):
    """Cannot be made: a cluster runs servers by the manifests in `deploy/kubernetes`, and clients are given their address.

    The name is of the published interface, where it cannot be made either.

    Raises:
        LaunchError: always.
    """

    def __new__(cls, *_: Any, **__: Any) -> NoReturn:
        raise LaunchError(
            "KubernetesProvider starts nothing: apply the manifests of deploy/kubernetes (docs/kubernetes.md) and connect with "
            "base_url=, or use LocalDockerProvider or DockerSwarmProvider"
        )

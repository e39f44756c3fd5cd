"""Services of a Docker swarm."""

from __future__ import annotations

from typing import Any

from ...errors import LaunchError
from .. import kinds
from ..docker import engine
from ..docker.options import read_call
from ..provider import ContainerProvider
from .deployment import Deployment
from .options import SwarmOptions

LAST_PORT = 65535


class DockerSwarmProvider(ContainerProvider):
    """Runs one or more servers of an image in a Docker swarm, which starts again what fails; needs the extra `docker`.

    Every server has a port of its own on the node that it runs on, open at each of the node's addresses, so that a session
    stays with the server where it began. `start_container` returns the first one's address, `base_urls` has all.

    The services are removed by `stop_container`, and when this process ends; where that is killed, each server ends once
    nobody has used it for `lease_s`, and the next start on the same machine removes what is left.

    Args:
        auto_init_swarm: whether an engine that is in no swarm is made one of its own, which no other machine can reach. It is
            left again with the last service, unless something else is in it. Default True.
        overlay_network: name of a network over all nodes that the servers join; it is made where there is none, and then also
            removed with the last that uses it.
    """

    def __init__(self, *, auto_init_swarm: bool = True, overlay_network: str | None = None) -> None:
        self.auto_init_swarm: bool = kinds.read("auto_init_swarm", auto_init_swarm, kinds.YES_OR_NO)
        self.overlay_network: str | None = kinds.read("overlay_network", overlay_network, kinds.optional(kinds.TEXT))
        self._deployment: Deployment | None = None

    def start_container(
        self, image: str, port: int | None = None, env_vars: dict[str, str] | None = None, **options: Any
    ) -> str:
        """See `ContainerProvider.start_container`; the options are those of `SwarmOptions`. Returns once containers run.

        Args:
            image: names the image; where the swarm has several nodes, each must have it or be able to fetch it.
            port: of the first server, the others follow; None takes free ones.

        Raises:
            LaunchError: no engine, no swarm, no such image, a taken port, an option that there is not or that cannot be, or no
                node that takes it; or a container ended at once, with its last lines of output.
        """
        if self._deployment is not None:
            raise LaunchError(f"{self._deployment.image} is running already: stop it first, or use another provider")
        chosen = SwarmOptions.read(options)
        port, given = read_call(image, port, env_vars)
        if port is not None and port + chosen.replicas - 1 > LAST_PORT:
            raise LaunchError(f"{chosen.replicas} replicas from port {port} on need ports above {LAST_PORT}: name a lower one")
        client = engine.connect()
        deployment = self._deployment = Deployment(client, image, chosen, self.overlay_network)
        try:
            engine.sweep(client)
            deployment.start(port, given, self.auto_init_swarm)
            return deployment.replicas[0].url()
        except BaseException:
            self.stop_container()
            raise

    @property
    def base_urls(self) -> list[str]:
        """Where each server is; where a swarm of several nodes has moved one, its new place. Empty before the start."""
        return [replica.url() for replica in self._deployment.replicas] if self._deployment is not None else []

    def wait_for_ready(self, base_url: str, timeout_s: float = 30.0) -> None:
        """Return once every server answers, whichever is named; also after the swarm has had to start one again.

        Raises:
            LaunchError: one does not in time, or has ended; with the task's error and the last lines of output.
        """
        if self._deployment is None:
            raise LaunchError("no container has been started")
        try:
            self._deployment.wait_for_ready(timeout_s)
        except BaseException:
            self.stop_container()
            raise

    def stop_container(self) -> None:
        """Remove the services and all that was made for them. Twice does no harm."""
        deployment, self._deployment = self._deployment, None
        if deployment is not None:
            deployment.stop()

    def is_running(self) -> bool:
        """See `ContainerProvider.is_running`: whether every server has a container that has not ended."""
        deployment = self._deployment
        return deployment is not None and deployment.is_running()

    @property
    def output(self) -> list[str]:
        """The last lines that the servers printed, one server's after the other's."""
        return [line for replica in self._deployment.replicas for line in replica.lines()] if self._deployment else []

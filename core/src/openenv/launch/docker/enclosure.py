"""A network that leads nowhere, and how a client gets into it."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...errors import LaunchError
from . import engine, forwarder, owner
from .options import MIB, DockerOptions

NOBODY = "65534:65534"
FORWARDER_MIB = 64
MIB_OF_A_SESSION = 0.125
"""Both directions of its connection, and the sockets."""

NOTHING_RESOLVES: dict[str, Any] = {"dns": ["127.0.0.1"], "dns_opt": ["timeout:1", "attempts:1"]}
"""A resolver in the container itself, where there is none: older engines ask the machine's own, for enclosed ones too."""

UNSEEN_BY_THE_MACHINE = {"com.docker.network.bridge.inhibit_ipv4": "true"}
"""The machine takes no address in the network."""


def is_forwarded(options: DockerOptions, port: int | None, info: Mapping[str, Any]) -> bool:
    """Return whether a container without egress takes a forwarder; it must, where its own address cannot be reached from here.

    Args:
        port: the one asked for; a container's own address has no port of this machine.
        info: what the engine tells of itself.

    Raises:
        LaunchError: it must, and `forwarder` is False.
    """
    if options.egress:
        return False
    why = _unreachable(info) or ("a port of this machine is asked for" if port is not None else None)
    if options.forwarder is False and why is not None:
        raise LaunchError(f"egress=False needs a forwarder, as {why}: leave out forwarder=False")
    return bool(options.forwarder) or why is not None


def _unreachable(info: Mapping[str, Any]) -> str | None:
    """Return why this machine cannot reach a container's own address; None where it can."""
    where = os.environ.get("DOCKER_HOST") or engine.STANDARD
    if not where.startswith(("unix://", "http+unix://")):
        return "the engine is that of another machine"
    if not sys.platform.startswith("linux") or "Docker Desktop" in str(info.get("OperatingSystem")):
        return "the engine is in a virtual machine"
    if any("rootless" in option for option in info.get("SecurityOptions") or ()):
        return "the engine is rootless"
    return None


class Enclosure:
    """The network of one container, which the container's name names, and the forwarder into it where there is one.

    Args:
        client: of the engine.
        name: the container's.
        options: of the container.
        sessions: how many it takes.
        forwarded: whether there is a forwarder.
    """

    def __init__(self, client: Any, name: str, options: DockerOptions, sessions: int, forwarded: bool) -> None:
        self._client = client
        self._name = name
        self._options = options
        self._sessions = sessions
        self.forwarded = forwarded

    def create(self) -> None:
        """Make the network."""
        seen = UNSEEN_BY_THE_MACHINE if self.forwarded and not engine.is_podman(self._client) else None
        self._client.api.create_network(self._name, driver="bridge", internal=True, options=seen, labels=owner.labels())

    def start_forwarder(self, image: str, server: str, inside: int, port: int | None) -> None:
        """Make and start the forwarder to the container's address in the network.

        Args:
            image: what it runs in, unless the options name another.
            server: the container's address.
            inside: the server's port there, and the forwarder's.
            port: of this machine; None takes a free one.
        """
        api, name = self._client.api, forwarder_name(self._name)
        if isinstance(self._options.forwarder, str):
            image = engine.image(self._client, self._options.forwarder).id
        memory = int((FORWARDER_MIB + self._sessions * MIB_OF_A_SESSION) * MIB)
        locks = api.create_host_config(
            auto_remove=True,
            port_bindings={inside: (self._options.address, port)},
            mem_limit=memory,
            memswap_limit=memory,
            nano_cpus=10**9,
            pids_limit=16,
            read_only=True,
            cap_drop=["ALL"],
            security_opt=["no-new-privileges"],
            sysctls={"net.ipv4.ip_forward": "0"},
            log_config=engine.KEPT_OUTPUT,
            init=True,
        )
        api.create_container(
            image,
            entrypoint=["python3", "-I", "-S", "-c", Path(forwarder.__file__).read_text(encoding="utf-8")],
            command=[server, str(inside)],
            name=name,
            user=NOBODY,
            labels=owner.labels(),
            ports=[inside],
            healthcheck={"test": ["NONE"]},
            host_config=locks,
        )
        api.connect_container_to_network(name, self._name)
        api.start(name)


def forwarder_name(name: str) -> str:
    """Return the name of the forwarder of a container."""
    return f"{name}-forwarder"

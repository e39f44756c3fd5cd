"""How the services of a swarm are run, and how the engine is told."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from ...errors import LaunchError
from .. import kinds
from ..docker import engine
from ..docker.options import MIB, MOUNTED, DockerOptions

OF_THE_CONTAINER = (
    "container_port",
    "command",
    "user",
    "memory_mb",
    "cpus",
    "pids",
    "read_only",
    "tmpfs_mb",
    "capabilities",
    "new_privileges",
    "volumes",
    "init",
    "registry_login",
    "lease_s",
    "stop_timeout_s",
)
"""Options of `DockerOptions` that mean the same here."""

MEMORY = re.compile(r"(\d+(?:\.\d+)?)([bkmg]?)b?", re.IGNORECASE)
UNITS = {"": 1, "b": 1, "k": 1024, "m": MIB, "g": 1024 * MIB}

KINDS = {
    "replicas": kinds.COUNT,
    "constraints": kinds.TEXTS,
    "labels": kinds.LABELS,
    "restart": kinds.YES_OR_NO,
    "health_check": kinds.YES_OR_NO,
}
"""What each option takes that is not of the container."""

RESTART_DELAY_S = 1.0
NANO = 1_000_000_000


@dataclass(frozen=True)
class SwarmOptions:
    """How services are run; each is an option of `DockerSwarmProvider.start_container`, and so are those of `container`.

    Attributes:
        container: how each container is run: the fields of `DockerOptions` but `address`, `network` and those of `egress`.
        replicas: how many servers, each at a port of its own. Default 1.
        constraints: on the nodes that they may run on, `["node.role==worker"]`. Default none.
        labels: of the services. Default none.
        restart: whether the swarm starts a server again that fails. Default True.
        health_check: whether the swarm also replaces a server, and its sessions with it, whose image's health check fails;
            `start_container` then waits for the first that succeeds. Default False.
    """

    container: DockerOptions
    replicas: int = 1
    constraints: Sequence[str] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    restart: bool = True
    health_check: bool = False

    @classmethod
    def read(cls, options: Mapping[str, Any]) -> Self:
        """Return the options that a caller named.

        `memory_limit="512m"` and `cpu_limit="0.5"` are `memory_mb` and `cpus` in the words of `docker service create`.

        Raises:
            LaunchError: one that there is not, or that cannot be.
        """
        known = {*KINDS, *OF_THE_CONTAINER, "memory_limit", "cpu_limit"}
        unknown = sorted(options.keys() - known)
        if unknown:
            raise LaunchError(f"a swarm takes no {', '.join(unknown)}: it takes {', '.join(sorted(known))}")
        of_container = {name: value for name, value in options.items() if name in OF_THE_CONTAINER}
        for name, there, read in (("memory_limit", "memory_mb", _memory_mb), ("cpu_limit", "cpus", _cpus)):
            if options.get(name) is not None:
                if there in options:
                    raise LaunchError(f"{name} and {there} say the same: leave one out")
                of_container[there] = read(options[name])
        container = DockerOptions.read(of_container)
        for source, place in container.volumes.items():
            if (how := place.partition(":")[2]) not in MOUNTED:
                raise LaunchError(f"a swarm mounts a volume ro or rw, not {how!r}: {source}")
        own = {name: kinds.read(name, value, KINDS[name]) for name, value in options.items() if name in KINDS}
        return cls(container, **own)

    def template(self, image: str, env_vars: Mapping[str, str], cores: int, overlay: str | None) -> dict[str, Any]:
        """Return what the engine's interface calls a task template.

        Args:
            image: its id, or its name where other nodes have to find it.
            env_vars: of the container.
            cores: how many the smallest node has.
            overlay: a network to join.

        Raises:
            LaunchError: there are fewer `pids` than the server needs.
        """
        limits = self.container.limits(env_vars, cores)
        resources = {"MemoryBytes": limits.get("mem_limit"), "NanoCPUs": limits.get("nano_cpus"), "Pids": limits["pids_limit"]}
        container = {
            "Image": image,
            "Args": _words(self.container.command),
            "Env": [f"{name}={value}" for name, value in env_vars.items()],
            "User": self.container.user,
            "ReadOnly": limits["read_only"],
            "Init": limits["init"],
            "CapabilityDrop": limits["cap_drop"],
            "CapabilityAdd": limits["cap_add"],
            "Privileges": {"NoNewPrivileges": not self.container.new_privileges},
            "Mounts": [*self._tmpfs(), *self._volumes()],
            "HealthCheck": None if self.health_check else {"Test": ["NONE"]},
            "StopGracePeriod": round(self.container.stop_timeout_s * NANO),
        }
        return {
            "ContainerSpec": {name: value for name, value in container.items() if value is not None},
            "Resources": {"Limits": {name: value for name, value in resources.items() if value is not None}},
            "RestartPolicy": {
                "Condition": "on-failure" if self.restart else "none",  # a server whose lease has ended ends without failure
                "Delay": round(RESTART_DELAY_S * NANO),
            },
            "Placement": {"Constraints": list(self.constraints)},
            "Networks": [] if overlay is None else [{"Target": overlay}],
            "LogDriver": {"Name": engine.KEPT_OUTPUT["type"], "Options": engine.KEPT_OUTPUT["config"]},
        }

    def _tmpfs(self) -> list[dict[str, Any]]:
        size_mb = self.container.tmpfs_mb
        options = {"SizeBytes": size_mb * MIB, "Mode": 0o1777}
        return [{"Type": "tmpfs", "Target": "/tmp", "TmpfsOptions": options}] if size_mb else []

    def _volumes(self) -> list[dict[str, Any]]:
        mounts = []
        for source, place in self.container.volumes.items():
            target, _, how = place.partition(":")
            mounts.append({"Type": "bind", "Source": source, "Target": target, "ReadOnly": how == "ro"})
        return mounts


def _words(command: str | Sequence[str] | None) -> list[str] | None:
    if command is None:
        return None
    return shlex.split(command) if isinstance(command, str) else list(command)


def _memory_mb(limit: Any) -> int:
    found = MEMORY.fullmatch(str(limit).strip())
    if found is None:
        raise LaunchError(f"memory_limit={limit!r} is no amount of memory: say 512m or 2g")
    amount_mb = int(float(found[1]) * UNITS[found[2].lower()] / MIB)
    if amount_mb < 1:
        raise LaunchError(f"memory_limit={limit!r} is less than 1 MiB: say 512m or 2g")
    return amount_mb


def _cpus(limit: Any) -> float:
    try:
        cores: float = kinds.CORES.read(float(limit))
    except (TypeError, ValueError):
        raise LaunchError(f"cpu_limit={limit!r} is no number of cores: say 0.5 or 2") from None
    return cores

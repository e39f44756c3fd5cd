"""What a container may do, and how the engine is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Self

from ...errors import LaunchError
from .. import kinds
from ..kinds import Kind, optional

SESSIONS = 256
"""How many sessions a server takes unless told otherwise; see `Settings.max_concurrent_envs`."""
SESSIONS_VARIABLE = "OPENENV_MAX_CONCURRENT_ENVS"

THREADS_BESIDE_SESSIONS = 64
"""Every session may have a thread, and so many are the server's own; the kernel counts threads as processes."""
ROOM_FOR_LIBRARIES = 1024

MIB = 1024 * 1024

MOUNTED = ("", "ro", "rw")
"""What may follow a volume's place wherever it is mounted."""

KINDS: dict[str, Kind] = {
    "container_port": optional(kinds.PORT),
    "command": optional(kinds.COMMAND),
    "user": optional(kinds.USER),
    "memory_mb": optional(kinds.MIB_AT_LEAST_1),
    "cpus": optional(kinds.CORES),
    "pids": optional(kinds.COUNT),
    "read_only": kinds.YES_OR_NO,
    "tmpfs_mb": kinds.MIB_OR_NONE,
    "capabilities": kinds.TEXTS,
    "new_privileges": kinds.YES_OR_NO,
    "volumes": kinds.FOLDERS,
    "egress": kinds.YES_OR_NO,
    "forwarder": optional(kinds.IMAGE_OR_NOT),
    "network": optional(kinds.TEXT),
    "init": kinds.YES_OR_NO,
    "address": kinds.TEXT,
    "lease_s": optional(kinds.SECONDS_ABOVE_0),
    "stop_timeout_s": kinds.SECONDS,
    "registry_login": optional(kinds.LOGIN),
}
"""What each option takes."""


@dataclass(frozen=True)
class DockerOptions:
    """How a container is run; each is an option of `LocalDockerProvider.start_container` and of `from_docker_image`.

    Attributes:
        container_port: where the server in the container listens. None takes the one port that the image exposes, else 8000.
        command: what to run instead of the image's own command.
        user: whom it runs as, `uid` or `uid:gid`; None takes the image's.
        memory_mb: MiB of memory, swap included, what lies in `/tmp` too. Default 4096; None sets no limit.
        cpus: how many of the machine's cores. Default 2; None sets no limit.
        pids: processes and threads together. None gives as many as there may be sessions, and 1088 more.
        read_only: whether the root file system is. Default True.
        tmpfs_mb: size of `/tmp`, which lies in memory and which nothing can be executed from. Default 256; 0 gives none.
        capabilities: of root that the container has, `["NET_BIND_SERVICE"]`. Default none.
        new_privileges: whether programs may gain what their starter does not have, as by setuid. Default False.
        volumes: folders of the engine's machine to mount: `{"/data": "/data:ro"}`, theirs and the container's. Default none.
        egress: whether the container reaches other machines. False puts it into a network of its own that leads nowhere, and
            gives it no resolver of names. Default True.
        forwarder: how the client gets into that network. False: at the container's own address, which only a machine that runs
            the engine itself can reach; then this machine's side of the network is in the container's reach. True: through a
            second, smaller container, which forwards to the server's port and ends with it; the name of an image says what
            that runs in, else it is the server's image. None chooses False where that works, and no `port` is asked for.
        network: name of a network of the engine to join, instead of its default.
        init: whether a small first process collects ended ones. Default True.
        address: of the engine's machine, where the server's port is opened. Default `127.0.0.1`.
        lease_s: seconds after which a server of this package ends once nobody uses it and its starter is gone. Default 300;
            None lets it run on.
        stop_timeout_s: seconds that it gets to stop before it is killed. Default 15.
        registry_login: name and password for the image's registry, where the image is not here. None takes what `docker login`
            has stored.
    """

    container_port: int | None = None
    command: str | Sequence[str] | None = None
    user: str | None = None
    memory_mb: float | None = 4096
    cpus: float | None = 2.0
    pids: int | None = None
    read_only: bool = True
    tmpfs_mb: int = 256
    capabilities: Sequence[str] = ()
    new_privileges: bool = False
    volumes: Mapping[str, str] = field(default_factory=dict)
    egress: bool = True
    forwarder: bool | str | None = None
    network: str | None = None
    init: bool = True
    address: str = "127.0.0.1"
    lease_s: float | None = 300.0
    stop_timeout_s: float = 15.0
    registry_login: tuple[str, str] | None = field(default=None, repr=False)

    @classmethod
    def read(cls, options: Mapping[str, Any]) -> Self:
        """Return the options that a caller named. Raises `LaunchError` for one that there is not, or that cannot be."""
        known = {option.name for option in fields(cls)}
        unknown = sorted(options.keys() - known)
        if unknown:
            raise LaunchError(f"a container takes no {', '.join(unknown)}: it takes {', '.join(sorted(known))}")
        chosen = cls(**{name: kinds.read(name, value, KINDS[name]) for name, value in options.items()})
        if chosen.network is not None and not chosen.egress:
            raise LaunchError("egress=False makes a network of its own: leave network out")
        if chosen.forwarder is not None and chosen.egress:
            raise LaunchError("forwarder says how the client gets in with egress=False: add that, or leave forwarder out")
        if chosen.network in ("host", "none"):
            raise LaunchError(f"network={chosen.network!r} opens no port for the client: leave it out, or name a network")
        return chosen

    def limits(self, env_vars: Mapping[str, str], cores: int) -> dict[str, Any]:
        """Return the limits and locks as the Docker SDK's arguments.

        Args:
            env_vars: of the container; say how many sessions there may be.
            cores: how many the machine has.

        Raises:
            LaunchError: there are fewer `pids` than the server needs.
        """
        memory = None if self.memory_mb is None else int(self.memory_mb * MIB)
        arguments: dict[str, Any] = {
            "pids_limit": self._pids(env_vars),
            "read_only": self.read_only,
            "cap_drop": ["ALL"],
            "cap_add": list(self.capabilities),
            "security_opt": [] if self.new_privileges else ["no-new-privileges"],
            **self._mounts(),
            "init": self.init,
        }
        if memory is not None:
            arguments |= {"mem_limit": memory, "memswap_limit": memory}
        if self.cpus is not None:
            arguments["nano_cpus"] = int(min(self.cpus, cores) * 1e9)
        if self.tmpfs_mb:
            arguments["tmpfs"] = {"/tmp": f"rw,nosuid,nodev,noexec,mode=1777,size={self.tmpfs_mb}m"}
        return arguments

    def _mounts(self) -> dict[str, Any]:
        """Return the volumes. The engine refuses a folder that is not there; with other ways than ro and rw it makes one."""
        mounts, binds = [], []
        for source, place in self.volumes.items():
            target, _, how = place.partition(":")
            if how in MOUNTED:
                kind = "bind" if "/" in source or "\\" in source else "volume"
                mounts.append({"Type": kind, "Source": source, "Target": target, "ReadOnly": how == "ro"})
            else:
                binds.append(f"{source}:{place}")
        return {"mounts": mounts, "binds": binds}

    def _pids(self, env_vars: Mapping[str, str]) -> int:
        sessions = sessions_of(env_vars)
        least = sessions + THREADS_BESIDE_SESSIONS
        if self.pids is not None and self.pids < least:
            raise LaunchError(
                f"pids={self.pids}: threads count too, so {sessions} sessions need at least {least}; "
                f"give more, or fewer sessions by env_vars={{{SESSIONS_VARIABLE!r}: …}}"
            )
        return self.pids or least + ROOM_FOR_LIBRARIES


def read_call(image: Any, port: Any, env_vars: Any) -> tuple[int | None, dict[str, str]]:
    """Return the port, None for a free one, and the environment variables that `start_container` is called with.

    Raises:
        LaunchError: one of the three is no such thing.
    """
    kinds.read("image", image, kinds.IMAGE)
    chosen: int | None = None if port is None else kinds.read("port", port, kinds.PORT_OR_FREE)
    return chosen, kinds.read_variables(env_vars)


def sessions_of(env_vars: Mapping[str, str]) -> int:
    """Return how many sessions a server takes that is given these environment variables."""
    text = env_vars.get(SESSIONS_VARIABLE, "")
    return int(text) if text.isdecimal() else SESSIONS

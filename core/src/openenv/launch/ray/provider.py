"""Servers on the nodes of a Ray cluster, one an actor."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from ...errors import LaunchError
from ..provider import RuntimeProvider
from ..readiness import answers
from . import cluster
from .held_server import HeldServer


class RayProvider(RuntimeProvider):
    """Runs `python -m openenv.server` with an app on a node of a Ray cluster, held by an actor, at the node's own address.

    The nodes need the package of the environment and `openenv-core[ray]`, in the versions that are here; `runtime_env` can
    bring them. The server ends with `stop`, and by itself when this process, its actor or its node ends, however they do.
    Ray starts no actor anew: the sessions of one that died are lost in any case, and the next would have another address.
    A `Fleet` starts another server for it.

    Args:
        app: `module:attribute` of the app.
        address: `host:port` of the cluster's head, where this process is connected to none yet. `"local"` starts a cluster of
            this machine alone. None: as `ray.init()`, which joins a cluster that runs on this machine; the log names it.
        env_vars: environment variables of the server, over those of the node.
        port: 0 takes a free one of the node.
        num_cpus: CPUs of a node that are set aside for it; they set it no limit. Default 1.
        num_gpus: GPUs, as many as which it sees by `CUDA_VISIBLE_DEVICES`. Default 0.
        memory_mb: MiB of a node's memory that are set aside for it, no limit either; None leaves memory out of account.
        resources: further resources by the names that nodes give them, `{"env": 1}`.
        label_selector: labels that the node must have, as Ray reads them.
        scheduling_strategy: Ray's. Default `"SPREAD"`: many servers go to different nodes.
        runtime_env: Ray's, for the actor and its server: packages, files, variables.
        startup_timeout_s: seconds until it must answer, the wait for a node with room included. Default 60.
        stop_timeout_s: seconds it gets to stop before it is killed. Default 15.

    Raises:
        MissingExtra: Ray is not installed.
    """

    def __init__(
        self,
        app: str,
        *,
        address: str | None = None,
        env_vars: Mapping[str, str] | None = None,
        port: int = 0,
        num_cpus: float = 1.0,
        num_gpus: float = 0.0,
        memory_mb: float | None = None,
        resources: Mapping[str, float] | None = None,
        label_selector: Mapping[str, str] | None = None,
        scheduling_strategy: Any = "SPREAD",
        runtime_env: Mapping[str, Any] | None = None,
        startup_timeout_s: float = 60.0,
        stop_timeout_s: float = 15.0,
    ) -> None:
        cluster.require_ray()
        self.app = app
        self.address = address
        self._env_vars = dict(env_vars or {})
        self._port = port
        self._startup_timeout_s = startup_timeout_s
        self._stop_timeout_s = stop_timeout_s
        self._placement: dict[str, Any] = {
            "num_cpus": num_cpus,
            "num_gpus": num_gpus,
            "memory": None if memory_mb is None else round(memory_mb * cluster.MIB),
            "resources": dict(resources or {}),
            "label_selector": dict(label_selector) if label_selector else None,
            "scheduling_strategy": scheduling_strategy,
            "runtime_env": dict(runtime_env) if runtime_env else None,
        }
        self._held: HeldServer | None = None

    def start(self, port: int | None = None, env_vars: dict[str, str] | None = None, **options: Any) -> str:
        """See `RuntimeProvider.start`; returns once the server has bound its port on a node.

        Raises:
            LaunchError: it runs already, an unknown option, no cluster, no node with room in time, or it did not open its port.
        """
        if self._held is not None:
            raise LaunchError(f"{self.app} is running already")
        if options:
            raise LaunchError(f"a server on a Ray cluster takes no {', '.join(sorted(options))}")
        deadline = time.monotonic() + self._startup_timeout_s
        ray = cluster.connect(self.address)
        given = {**self._env_vars, **(env_vars or {})}
        held = self._held = HeldServer(ray, self.app, self._port if port is None else port, given, self._placement)
        try:
            held.wait_for_node(deadline)
            url = held.wait_for_url(deadline)
            if url is None:
                raise held.failure(f"{self.app} did not open its port within {self._startup_timeout_s:g} s")
        except BaseException:
            self.stop()
            raise
        return url

    def wait_for_ready(self, timeout_s: float | None = None) -> None:
        """See `RuntimeProvider.wait_for_ready`."""
        held = self._held
        if held is None or held.url is None:
            raise LaunchError(f"{self.app} has not been started")
        limit = self._startup_timeout_s if timeout_s is None else timeout_s
        if not answers(held.url, limit, alive=held.running):
            error = held.failure(f"{self.app} did not answer at {held.url} within {limit:g} s; can it be reached from here?")
            self.stop()
            raise error

    def stop(self) -> None:
        """End the server and its actor: ask it, and kill it where it does not listen in time."""
        held, self._held = self._held, None
        if held is not None:
            held.stop(self._stop_timeout_s)

    def is_running(self) -> bool:
        """See `RuntimeProvider.is_running`."""
        held = self._held
        return held is not None and held.running()

    @property
    def output(self) -> list[str]:
        """The last lines that the server printed."""
        return self._held.output() if self._held is not None else []

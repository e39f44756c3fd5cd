"""Ray clusters for tests: nodes of this machine, each with a loopback address of its own, and what is left on them."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from containers import missing
from counting import CounterEnv
from serving import wait_until

TESTS = {"PYTHONPATH": str(Path(__file__).parent)}
ROLLOUT = "rollout"
"""What nodes that are added have."""

APP = "serving_counter:app"
SOON = {
    "health_check_initial_delay_ms": 1000,
    "health_check_period_ms": 500,
    "health_check_timeout_ms": 10_000,
    "health_check_failure_threshold": 3,
}
"""Lets a cluster notice within seconds that a node has gone, for which it takes half a minute otherwise."""

MARK = "OPENENV_TEST_CLUSTER"
"""A variable that nodes hand on to what they start."""


class Nodes:
    """A cluster.

    Attributes:
        address: of its head.
    """

    def __init__(self, cluster: Any, mark: str) -> None:
        self._cluster = cluster
        self._mark = mark
        self.address: str = cluster.address

    def add(self, number: int, room: int) -> None:
        """Add a node at 127.0.0.`number` with room for so many rollouts, and no CPU."""
        self._cluster.add_node(**_node(number, 0), resources={ROLLOUT: room}, wait=False)

    def clear(self) -> None:
        """Remove every node but the head."""
        for node in list(self._cluster.worker_nodes):
            self._cluster.remove_node(node)

    def kill(self, host: str) -> None:
        """End a node as a machine that loses power does: nothing of it can say farewell."""
        (node,) = (node for node in self._cluster.worker_nodes if node.node_ip_address == host)
        for server in self.servers(host):
            os.kill(server, signal.SIGKILL)
        self._cluster.remove_node(node, allow_graceful=False)

    def left(self) -> set[str]:
        """Return what is left: servers, and room that is taken."""
        import ray

        def room() -> bool:
            return bool(ray.available_resources().get("CPU") == ray.cluster_resources().get("CPU"))

        with contextlib.suppress(AssertionError):
            wait_until(room, 10)  # Ray frees it after the actor's end
        return {f"server {pid}" for pid in self.servers()} | (set() if room() else {"an actor"})

    def servers(self, host: str | None = None) -> list[int]:
        """Return the ids of the processes that serve, at one node or at all."""
        mark, at = f"{MARK}={self._mark}".encode(), b"" if host is None else f"--host\0{host}\0".encode()
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                command = (process / "cmdline").read_bytes()
                if b"openenv.server\0" in command and at in command and mark in (process / "environ").read_bytes():
                    found.append(int(process.name))
        return found


@contextlib.contextmanager
def one_node(num_cpus: int) -> Iterator[Nodes]:
    """Run a cluster of one node, at 127.0.0.2, and be a driver of it meanwhile."""
    if sys.platform != "linux":
        missing("only Linux has all of 127.0.0.0/8")
    try:
        import ray
        from ray.cluster_utils import Cluster
    except ModuleNotFoundError:
        missing("needs Ray: pip install 'openenv-core[ray]'")
    mark = uuid.uuid4().hex
    # A cluster that is made so asks for no token, and where a user has one, programs that join it would.
    os.environ |= {MARK: mark, "RAY_USAGE_STATS_ENABLED": "0", "RAY_AUTH_MODE": "disabled"}
    head = {**_node(2, num_cpus), "include_dashboard": False, "_system_config": SOON}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    made = Nodes(cluster, mark)
    try:
        ray.init(address=cluster.address, log_to_driver=False, logging_level="warning")
        yield made
    finally:
        ray.shutdown()
        cluster.shutdown()
        del os.environ[MARK]
    wait_until(lambda: not made.servers(), 30)


def _node(number: int, num_cpus: int) -> dict[str, Any]:
    return {"node_ip_address": f"127.0.0.{number}", "num_cpus": num_cpus}


def counter_on(address: str) -> CounterEnv:
    """Return a client of a server on a cluster."""
    from openenv.launch.ray import RayProvider

    return CounterEnv(provider=RayProvider(APP, address=address, env_vars=TESTS))

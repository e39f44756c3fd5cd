"""The swarm that an engine is in: joined before the first service, and left after the last where it was made here."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ...errors import LaunchError
from ..docker import engine, owner

ONLY_THIS_MACHINE = "127.0.0.1"
"""Where the swarm that is made here listens, so that no other machine can join or reach it."""

BRIDGE, NEW_BRIDGE = "docker_gwbridge", "openenv.new-bridge"
"""The network that an engine makes with its first swarm, and the label of a swarm with which it did."""


@contextlib.contextmanager
def turn() -> Iterator[None]:
    """Keep other threads and processes of this user from making or leaving the swarm. On Windows it keeps nobody."""
    if sys.platform == "win32":
        yield
        return
    import fcntl

    path = Path(tempfile.gettempdir()) / f"openenv-swarm-{os.getuid()}.lock"
    lock = os.open(path, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def join(client: Any, auto_init: bool) -> dict[str, Any]:
    """Make sure that the engine manages a swarm; return what it says of itself.

    Raises:
        LaunchError: it does not, and must not or cannot be made to.
    """
    told: dict[str, Any] = client.info()
    swarm = told.get("Swarm")
    if swarm is None:
        raise LaunchError("this engine knows no swarm: use one of Docker's")
    state = swarm.get("LocalNodeState")
    if state == "inactive":
        if not auto_init:
            raise LaunchError("this engine is in no swarm: run `docker swarm init`, or leave auto_init_swarm on")
        with engine.told("cannot make a swarm of this engine"):
            labels = {**owner.labels(), NEW_BRIDGE: "no" if client.api.networks(names=[BRIDGE]) else "yes"}
            marked = client.api.create_swarm_spec(labels=labels)
            engine.whole(lambda: client.api.init_swarm(ONLY_THIS_MACHINE, ONLY_THIS_MACHINE, swarm_spec=marked))
            told = client.info()
    elif state != "active":
        raise LaunchError(f"this engine's swarm is {state}: see `docker info`, and `docker swarm unlock` where it is locked")
    elif not swarm.get("ControlAvailable"):
        raise LaunchError("this engine is only a worker of its swarm: name a manager with DOCKER_HOST")
    return told


def leave_unless_used(client: Any) -> None:
    """Leave the swarm where it was made here, has this one node, and nothing in it: no service, network, secret or config."""
    swarm = client.info().get("Swarm") or {}
    labels = ((swarm.get("Cluster") or {}).get("Spec") or {}).get("Labels") or {}
    if owner.HOST not in labels or not swarm.get("ControlAvailable") or swarm.get("Nodes") != 1:
        return
    api = client.api
    networks = [network for network in api.networks(filters={"driver": "overlay"}) if not network.get("Ingress")]
    if not (networks or api.services() or api.secrets() or api.configs()):
        api.leave_swarm(force=True)
        if labels.get(NEW_BRIDGE) == "yes":
            engine.remove_network(client, BRIDGE)


def ensure_overlay(client: Any, name: str) -> None:
    """Make a network of that name that spans the nodes, unless there is one. Raises `LaunchError` for one of another kind."""
    with engine.told(f"cannot make the overlay network {name}"):
        found = [network for network in client.api.networks(names=[name]) if network["Name"] == name]
        if not found:
            engine.whole(lambda: client.api.create_network(name, driver="overlay", attachable=True, labels=owner.labels()))
        elif found[0]["Driver"] != "overlay":
            raise LaunchError(f"the network {name} is a {found[0]['Driver']}, and services need an overlay: name another")


def remove_overlay(client: Any, name: str) -> None:
    """Remove a network that was made here and that nobody uses any more."""
    from docker.errors import APIError

    for network in client.api.networks(names=[name]):
        if network["Name"] == name and owner.HOST in (network.get("Labels") or {}):
            with contextlib.suppress(APIError):  # somebody uses it, whose end will be its own
                engine.remove_network(client, network["Id"])

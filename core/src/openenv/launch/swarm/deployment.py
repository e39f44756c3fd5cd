"""The services that one provider runs, from their making to their removal."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import socket
import threading
import time
import weakref
from collections.abc import Mapping
from typing import Any

from ...errors import LaunchError
from ..docker import engine
from ..docker.lease import VARIABLE, Lease
from ..docker.running import STANDARD_PORT, exposed
from ..readiness import answers
from . import membership
from .options import NANO, SwarmOptions
from .replica import PortTaken, Replica
from .watch import Watch

TRIES = 5
"""So often a port may turn out to be taken that was free when it was chosen."""

ASKED_AT_ONE_ADDRESS_S = 2.0

ENDS_AT_ONCE_S = 1.0
"""What has run for so long has not ended at once."""

LONGEST_NAME = 30
"""What is taken of an image's name into its services'; the engine allows 63 characters in all."""


class Deployment:
    """Services of one image; nothing of them is left once `stop` returns, or this process ends properly.

    A service that spreads its replicas has one port for all of them, and gives a new one at each restart to those that it
    puts on ports of their own. So every replica is a service by itself, and keeps its address.

    Args:
        client: of the engine; is closed at the end.
        image: names the image.
        options: how they are run.
        overlay: a network that they join.
    """

    def __init__(self, client: Any, image: str, options: SwarmOptions, overlay: str | None) -> None:
        self.image = image
        self.replicas: list[Replica] = []
        self._client = client
        self._options = options
        self._overlay = overlay
        self._beside: list[Lease | Watch] = []
        self._watch: Watch | None = None
        self._was_ready = False
        self._stopped = threading.Event()
        stem = re.sub(r"[^a-zA-Z0-9]+", "-", image.rpartition("/")[2])[:LONGEST_NAME].strip("-")
        common = f"openenv-{stem}-{secrets.token_hex(6)}"
        self._names = [f"{common}-{number}" for number in range(1, options.replicas + 1)]
        self._finalizer = weakref.finalize(self, _forget, client, self._names, overlay, self._beside, os.getpid())

    def start(self, port: int | None, env_vars: Mapping[str, str], auto_init: bool) -> None:
        """Run the services, and return once each has a container that runs; their servers need not answer yet."""
        options, client = self._options, self._client
        image = engine.image(client, self.image, options.container.registry_login)
        inside = options.container.container_port or exposed(image) or STANDARD_PORT
        given = {VARIABLE: f"{options.container.lease_s:g}"} if options.container.lease_s is not None else {}
        given.update(env_vars)
        with membership.turn():
            engine_s = membership.join(client, auto_init)
            with engine.told(f"cannot make services of {self.image}"):
                nodes = client.api.nodes()
                cores = min(node["Description"]["Resources"]["NanoCPUs"] for node in nodes) // NANO
            template = options.template(image.id if len(nodes) == 1 else self.image, given, cores, self._overlay)
            if self._overlay is not None:
                membership.ensure_overlay(client, self._overlay)
            ports = _free_ports(options.replicas) if port is None else range(port, port + options.replicas)
            self.replicas = [Replica(client, name, self.image, engine_s["Swarm"]["NodeID"]) for name in self._names]
            for replica, chosen in zip(self.replicas, ports, strict=True):
                replica.create(template, dict(options.labels), inside, chosen)
        if self._stopped.is_set():  # by another thread, which may not have found them
            with engine.told(f"cannot remove the services of {self.image}"):
                _remove(client, self._names, self._overlay)
            raise LaunchError(f"{self.image} was stopped while it started")
        if options.container.lease_s is not None:  # from now on, for the first may wait long for the last
            self._beside += [Lease(replica.url, options.container.lease_s) for replica in self.replicas]
        for replica in self.replicas:
            self._wait_until_started(replica, template, inside, TRIES if port is None else 1)
        self._wait_until_settled()
        self._watch = Watch(self.replicas)
        self._beside.append(self._watch)
        if self._stopped.is_set():
            self._watch.end()

    def _wait_until_started(self, replica: Replica, template: dict[str, Any], inside: int, tries: int) -> None:
        """Wait for a replica's container, at another port where the one that was chosen for it is taken."""
        for left in reversed(range(tries)):
            try:
                replica.wait_until_started()
            except PortTaken:
                if not left:
                    raise
                with membership.turn(), engine.told(f"cannot make a service of {self.image}"):
                    engine.remove_services(self._client, [replica.name])
                    replica.create(template, dict(self._options.labels), inside, _free_ports(1)[0])
            except LaunchError as error:
                raise self._failure(replica, error.message) if replica.has_ended() else error from None
            else:
                return

    def _wait_until_settled(self) -> None:
        """Return once the containers have run for a moment. Raises `LaunchError` where one ended."""
        deadline = time.monotonic() + ENDS_AT_ONCE_S
        while time.monotonic() < deadline:
            for replica in self.replicas:
                if replica.has_ended():
                    raise self._failure(replica, f"{self.image} ended at once")
            time.sleep(engine.PAUSE_S)

    def wait_for_ready(self, timeout_s: float) -> None:
        """Return once every server answers. Raises `LaunchError` where one does not in time, or has ended."""
        deadline = time.monotonic() + timeout_s
        for replica in self.replicas:
            gone = replica.is_given_up if self._was_ready else replica.has_ended
            while not answers(url := replica.url(), _slice_s(deadline), alive=lambda gone=gone: not gone()):  # type: ignore[misc]
                if gone() or not _slice_s(deadline):
                    raise self._failure(replica, f"{self.image} did not answer at {url} within {timeout_s:g} s")
        self._was_ready = True

    def is_running(self) -> bool:
        """Return whether every server has a container that has not ended, without asking the engine."""
        return self._watch is None or self._watch.all_run

    def _failure(self, replica: Replica, what: str) -> LaunchError:
        return replica.failure(what, self._options.container.memory_mb)

    def stop(self) -> None:
        """Stop the services and remove all that was made for them. Twice does no harm."""
        self._stopped.set()
        if not self._finalizer.alive:
            return
        _end(self._beside)
        with engine.told(f"cannot remove the services of {self.image}"):
            _remove(self._client, self._names, self._overlay)
        self._finalizer.detach()


def _slice_s(deadline: float) -> float:
    """Return how long to ask at one address, before the swarm is asked again where the server is."""
    return min(ASKED_AT_ONE_ADDRESS_S, max(0.0, deadline - time.monotonic()))


def _free_ports(count: int) -> list[int]:
    """Return ports that nothing on this machine listens at."""
    with contextlib.ExitStack() as held:
        return [held.enter_context(socket.create_server(("", 0))).getsockname()[1] for _ in range(count)]


def _end(beside: list[Lease | Watch]) -> None:
    for one in beside:
        one.end()


def _forget(client: Any, names: list[str], overlay: str | None, beside: list[Lease | Watch], process: int) -> None:
    """Remove what nobody holds any more, unless this is a fork of the process that made it."""
    if process == os.getpid():
        _end(beside)
        with engine.logged(f"the services {', '.join(names)} are left behind"):
            _remove(client, names, overlay)


def _remove(client: Any, names: list[str], overlay: str | None) -> None:
    """Remove services, the network they joined and the swarm where those were made for them and nobody else uses them."""
    try:
        if engine.services(client):
            engine.remove_services(client, names)
        with membership.turn():
            if overlay is not None:
                membership.remove_overlay(client, overlay)
            membership.leave_unless_used(client)
    finally:
        client.close()

"""One server of a swarm: a service with one container, and a port of its node to itself."""

from __future__ import annotations

import contextlib
import os
import time
from typing import Any
from urllib.parse import urlsplit

from ...errors import LaunchError
from ..docker import engine, owner
from ..docker.running import KEPT_LINES, KILLED

ENDED = ("complete", "failed", "rejected", "orphaned")
PORT_TAKEN = ("address already in use", "port is already allocated", "host-mode port already in use")

STARTED_WITHIN_S = 600.0
"""What a node may take to fetch the image."""
PATIENCE_S = 5.0
"""So long no node may have room for it, for others may be on their way out."""


class PortTaken(LaunchError):
    """Something else has the port of the node."""


class Replica:
    """A server whose address stays the same on its node, however often the swarm starts it again.

    Args:
        client: of the engine.
        name: of the service.
        image: names the image in messages.
        node: the id of the engine's own node.
    """

    def __init__(self, client: Any, name: str, image: str, node: str) -> None:
        self.name = name
        self.image = image
        self._client = client
        self._hosts = {node: _host_of_the_engine()}
        self._port = 0
        self._url = ""

    def create(self, template: dict[str, Any], labels: dict[str, str], inside: int, port: int) -> None:
        """Hand the service to the swarm, which starts it on a node of its choice at that port."""
        self._port = port
        ports = [{"Protocol": "tcp", "TargetPort": inside, "PublishedPort": port, "PublishMode": "host"}]
        with engine.told(f"cannot make a service of {self.image}"):
            engine.whole(
                lambda: self._client.api.create_service(
                    template,
                    name=self.name,
                    labels={**labels, **owner.labels()},
                    mode={"Replicated": {"Replicas": 1}},
                    endpoint_spec={"Ports": ports},
                )
            )

    def wait_until_started(self) -> None:
        """Return once its container runs.

        Raises:
            PortTaken: the port is somebody else's.
            LaunchError: no node takes it, or the container ended at once.
        """
        began, unplaced_since = time.monotonic(), None
        while True:
            tasks, now = self._tasks(), time.monotonic()
            if ended := _ended(tasks):
                raise self._why(ended[-1])
            status = tasks[-1]["Status"] if tasks else {"State": "new"}
            if status["State"] == "running":
                self.url()
                return
            unplaced_since = (unplaced_since or now) if status.get("Err") else None
            if unplaced_since is not None and now - unplaced_since > PATIENCE_S:
                raise self._why(tasks[-1])
            if now - began > STARTED_WITHIN_S:
                raise LaunchError(
                    f"{self.image} has not been started within {STARTED_WITHIN_S:g} s: it is still {status['State']}"
                )
            time.sleep(engine.PAUSE_S)

    def url(self) -> str:
        """Return where it is, or was last while the swarm starts it again."""
        with engine.told(f"cannot ask after {self.image}"):
            for task in self._tasks():
                if task["Status"]["State"] == task["DesiredState"] == "running":
                    node = task["NodeID"]
                    if node not in self._hosts:
                        self._hosts[node] = self._client.api.inspect_node(node)["Status"]["Addr"]
                    self._url = f"http://{self._hosts[node]}:{self._port}"
        return self._url

    def is_running(self) -> bool:
        """Return whether its latest task runs."""
        tasks = self._tasks()
        return bool(tasks) and tasks[-1]["Status"]["State"] == "running"

    def has_ended(self) -> bool:
        """Return whether a container of it has ended, though the swarm may start another."""
        return bool(_ended(self._tasks()))

    def is_given_up(self) -> bool:
        """Return whether it has ended and the swarm does not start it again."""
        tasks = self._tasks()
        return len(_ended(tasks)) == len(tasks)

    def failure(self, what: str, memory_mb: float | None) -> LaunchError:
        """Return the error that says what went wrong, with the task's error and the last lines of output."""
        if ended := _ended(self._tasks()):
            error = self._why(ended[-1])
            if not _ran(ended[-1]):
                return error
            what = error.message
            if _code(ended[-1]) == KILLED:
                what += f" (killed: has it enough memory? memory_mb is {memory_mb})"
        lines = self.lines()
        output = "\n  ".join(lines) if lines else "(it printed nothing)"
        return LaunchError(f"{what}; its last output:\n  {output}")

    def lines(self) -> list[str]:
        """Return the last lines that it printed; none where the engine cannot tell."""
        with contextlib.suppress(LaunchError), engine.told(f"cannot read the output of {self.image}"):
            chunks = self._client.api.service_logs(self.name, stdout=True, stderr=True, tail=KEPT_LINES)
            return b"".join(chunks).decode(errors="replace").splitlines()[-KEPT_LINES:]
        return []

    def _why(self, task: dict[str, Any]) -> LaunchError:
        """Return the error that a task tells of."""
        error = task["Status"].get("Err") or task["Status"].get("Message") or ""
        if any(told in error for told in PORT_TAKEN):
            return PortTaken(f"cannot run {self.image} on port {self._port}; choose another port where that is taken: {error}")
        if _ran(task):
            return LaunchError(f"{self.image} ended with code {_code(task)} before it answered")
        if task["Status"]["State"] in ENDED:
            return LaunchError(f"cannot run {self.image}: {error}")
        return LaunchError(f"no node of the swarm takes {self.image}: {error}")

    def _tasks(self) -> list[dict[str, Any]]:
        """Return its tasks, the latest last."""
        with engine.told(f"cannot ask after {self.image}"):
            tasks: list[dict[str, Any]] = self._client.api.tasks(filters={"service": self.name})
            return sorted(tasks, key=lambda task: str(task["CreatedAt"]))


def _ended(tasks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [task for task in tasks if task["Status"]["State"] in ENDED]


def _ran(task: dict[str, Any]) -> bool:
    """Return whether a task's container has run and ended by itself."""
    status = task["Status"]
    return status["State"] == "complete" or "non-zero exit" in (status.get("Err") or "")


def _code(task: dict[str, Any]) -> int:
    code: int = (task["Status"].get("ContainerStatus") or {}).get("ExitCode", 0)
    return code


def _host_of_the_engine() -> str:
    """Return where the engine's own ports are reached from here."""
    where = urlsplit(os.environ.get("DOCKER_HOST") or engine.STANDARD)
    return (where.hostname if where.scheme in ("tcp", "http", "https", "ssh") else None) or "127.0.0.1"

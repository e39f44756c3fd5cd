"""The container engine, by the Docker SDK."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from ...errors import LaunchError
from .owner import HOST, host, is_gone

STANDARD = "npipe:////./pipe/docker_engine" if os.name == "nt" else "unix:///var/run/docker.sock"
REQUEST_TIMEOUT_S = 120.0
GONE_WITHIN_S = 60.0
SAID_OF_A_SWARM = "rpc error:"
"""What the engine's message begins with where it could not reach the manager of its swarm."""
PAUSE_S = 0.1

KEPT_OUTPUT = {"type": "json-file", "config": {"max-size": "16m", "max-file": "1"}}
"""So much of a container's output lies on the engine's disk, however much it prints."""

T = TypeVar("T")

logger = logging.getLogger("openenv.launch")


def connect() -> Any:
    """Return a client of the engine that `DOCKER_HOST` names, else of this machine's.

    Raises:
        LaunchError: the SDK is not installed, or no engine answers.
    """
    try:
        import docker
        from docker.errors import DockerException
    except ModuleNotFoundError:
        raise LaunchError("containers need the Docker SDK: pip install 'openenv-core[docker]'") from None
    where = os.environ.get("DOCKER_HOST") or STANDARD
    try:
        _knock(where)
        client = docker.from_env(timeout=REQUEST_TIMEOUT_S)
        client.ping()
    except (DockerException, OSError) as error:
        why = getattr(error, "strerror", None) or error
        raise LaunchError(
            f"no container engine answers at {where} ({why}): start it, or name another with DOCKER_HOST"
        ) from None
    return client


def _knock(where: str) -> None:
    """Raise `OSError` where nothing listens at a socket of this machine; the SDK would tell it at length, and leak a socket."""
    kind, _, path = where.partition("://")
    if kind == "unix" and hasattr(socket, "AF_UNIX"):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.connect(path)


def is_podman(client: Any) -> bool:
    """Return whether it is a Podman engine."""
    return any("Podman" in part.get("Name", "") for part in client.version().get("Components") or ())


def whole(call: Callable[[], T]) -> T:
    """Return what a call returns; an interrupt waits for the call's end, so that what it made can be removed."""
    with ThreadPoolExecutor(1, "openenv-engine-call") as thread:
        return thread.submit(call).result()


@contextlib.contextmanager
def told(what: str) -> Iterator[None]:
    """Turn what the engine says into a `LaunchError`: `what`, and the engine's words."""
    from docker.errors import APIError, DockerException

    try:
        yield
    except APIError as error:
        raise LaunchError(f"{what}: {error.explanation or error}") from None
    except (DockerException, OSError) as error:
        raise LaunchError(f"{what}: {error}") from None


@contextlib.contextmanager
def logged(what: str) -> Iterator[None]:
    """Log what the engine says, and go on."""
    try:
        with told(what):
            yield
    except LaunchError as error:
        logger.warning("%s", error.message)


def image(client: Any, name: str, login: tuple[str, str] | None = None) -> Any:
    """Return an image, fetched from its registry where it is not here. Raises `LaunchError` where it cannot be had.

    Args:
        login: name and password for the registry; None takes what is stored.
    """
    from docker.errors import ImageNotFound

    with told(f"there is no image {name} here, and it cannot be fetched; build it, or check its name"):
        try:
            return client.images.get(name)
        except ImageNotFound:
            logger.warning("fetching %s, which is not here yet", name)
            return client.images.pull(name, auth_config=login and {"username": login[0], "password": login[1]})


def remove(client: Any, name: str) -> None:
    """Remove a container, running or not, and return once it is gone; nothing where there is none."""
    from docker.errors import APIError, NotFound

    with contextlib.suppress(NotFound):
        with contextlib.suppress(APIError):  # it may be on its way out by itself, which engines tell in different words
            client.api.remove_container(name, force=True, v=True)
        client.api.wait(name, condition="removed", timeout=GONE_WITHIN_S)


def remove_network(client: Any, name: str) -> None:
    """Remove a network; nothing where there is none."""
    from docker.errors import NotFound

    with contextlib.suppress(NotFound):
        client.api.remove_network(name)


def services(client: Any, **filters: Any) -> list[dict[str, Any]]:
    """Return the services of the swarm that this engine manages; none where it manages none."""
    from docker.errors import APIError

    try:
        found: list[dict[str, Any]] = client.api.services(filters=filters)
    except APIError as error:
        if _lacks_swarm(error):
            return []
        raise
    return found


def _lacks_swarm(error: Exception) -> bool:
    """Return whether an engine says that it manages no swarm, that this one ends, or like Podman that it knows of none."""
    said = str(getattr(error, "explanation", ""))
    return getattr(error, "status_code", None) == 404 or "swarm manager" in said or said.startswith(SAID_OF_A_SWARM)


def remove_services(client: Any, names: Iterable[str]) -> None:
    """Remove services, and return once their containers are gone, on this node and others; nothing where there are none.

    Raises:
        LaunchError: they do not stop.
    """
    from docker.errors import NotFound

    tasks: list[str] = []
    numbers: list[str] = []
    grace_s = 0.0
    for name in names:
        with contextlib.suppress(NotFound):
            service = client.api.inspect_service(name)
            grace_s = max(grace_s, service["Spec"]["TaskTemplate"]["ContainerSpec"].get("StopGracePeriod", 0) / 1e9)
            tasks += [task["ID"] for task in client.api.tasks(filters={"service": service["ID"]})]
            client.api.remove_service(service["ID"])
            numbers.append(service["ID"])
    deadline = time.monotonic() + grace_s + GONE_WITHIN_S
    while tasks or numbers:
        tasks = [task for task in tasks if _has_task(client, task)]
        numbers = [number for number in numbers if _containers_of(client, number)]
        if time.monotonic() > deadline:
            raise LaunchError("services have been removed, and their containers do not stop")
        time.sleep(PAUSE_S)


def _containers_of(client: Any, service: str) -> list[Any]:
    found: list[Any] = client.api.containers(all=True, filters={"label": f"com.docker.swarm.service.id={service}"})
    return found


def _has_task(client: Any, number: str) -> bool:
    from docker.errors import NotFound

    with contextlib.suppress(NotFound):
        return bool(client.api.inspect_task(number))
    return False


def sweep(client: Any) -> None:
    """Remove what processes of this machine have left behind that are gone by now."""
    from docker.errors import APIError

    ours = {"label": f"{HOST}={host()}"}
    with logged("what killed programs left behind is not swept up"):
        for sweep_some in (_sweep_services, _sweep_containers, _sweep_networks):
            try:
                sweep_some(client, ours)
            except APIError as error:
                if not _lacks_swarm(error):  # an engine may leave its swarm meanwhile
                    raise


def _sweep_services(client: Any, ours: dict[str, str]) -> None:
    left = services(client, **ours)
    remove_services(client, [one["ID"] for one in left if is_gone(one["Spec"].get("Labels") or {})])


def _sweep_containers(client: Any, ours: dict[str, str]) -> None:
    for container in client.api.containers(all=True, filters=ours):
        if is_gone(container.get("Labels") or {}):
            remove(client, container["Id"])


def _sweep_networks(client: Any, ours: dict[str, str]) -> None:
    for network in client.api.networks(filters=ours):
        if network["Scope"] == "local" and is_gone(network.get("Labels") or {}):
            remove_network(client, network["Id"])

"""The Ray cluster that this process is a driver of."""

from __future__ import annotations

import logging
import os
import socket
import threading
from collections.abc import Mapping
from contextlib import suppress
from importlib.util import find_spec
from typing import Any

from ...errors import LaunchError, MissingExtra

KNOCK_TIMEOUT_S = 10.0
REPLACED = ("localhost", "127.0.0.1")
"""Ray takes these for this machine's own address."""

LONGEST_REASON, HEAD_OF_REASON = 600, 200
"""Characters; of what is longer the beginning stays, and the end, where a traceback says what it was."""

MEMORY, MIB = "memory", 1024 * 1024
"""Ray counts bytes."""

LOCAL = "local"
"""The address with which Ray starts a cluster of this machine alone, whatever runs here."""

_one_at_a_time = threading.Lock()

logger = logging.getLogger("openenv.launch")


def require_ray() -> None:
    """Raise `MissingExtra` where Ray is not installed; imports nothing."""
    if find_spec("ray") is None:
        raise MissingExtra("servers on a Ray cluster need Ray: pip install 'openenv-core[ray]'")


def connect(address: str | None) -> Any:
    """Return Ray, with this process connected to a cluster; one that is connected already stays so.

    Args:
        address: `host:port` of the cluster's head, or what else `ray.init` takes: `"local"` starts a new one of this machine
            alone. None goes where `ray.init()` does: `RAY_ADDRESS`, else a cluster that runs on this machine, which the log
            then names, else a new one of this machine alone.

    Raises:
        LaunchError: no cluster answers there, or this process is connected to another.
    """
    import ray

    with _one_at_a_time:
        if not ray.is_initialized():
            _init(ray, address)
        elif address is not None:
            _check(address, ray.get_runtime_context().gcs_address)
    return ray


def _init(ray: Any, address: str | None) -> None:
    """Connect, with little said: what servers print is kept by their actors, not sent here."""
    from ray.exceptions import RayError

    if address is not None and "//" not in address:
        _knock(address)
    try:
        there = ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR, include_dashboard=False)
    except (RayError, ConnectionError, RuntimeError, ValueError, OSError) as error:
        where = "" if address is None else f" at {address}"
        raise LaunchError(f"cannot connect to a Ray cluster{where}: {reason(error)}") from None
    _tell(getattr(there, "address_info", {}), address or os.environ.get("RAY_ADDRESS"))


def _tell(there: Mapping[str, Any], named: str | None) -> None:
    """Log which cluster it is; as a warning where it is another program's and nobody has named it."""
    at = there.get("gcs_address", named)
    if str(there.get("session_dir")).endswith(f"_{os.getpid()}"):  # Ray names a session after the process that starts it
        logger.info("started a Ray cluster of this machine alone, at %s", at)
    elif named:
        logger.info("connected to the Ray cluster at %s", at)
    else:
        logger.warning(
            "servers go to the Ray cluster at %s, which runs on this machine already; address='local' starts one of its own, "
            "and RAY_ADDRESS or address='HOST:PORT' names another",
            at,
        )


def _knock(address: str) -> None:
    """Raise `LaunchError` where nothing listens at `host:port`: Ray would wait for it for minutes."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal():
        return
    try:
        socket.create_connection((host, int(port)), KNOCK_TIMEOUT_S).close()
    except OSError as error:
        why = error.strerror or error
        raise LaunchError(
            f"no Ray cluster answers at {address} ({why}): start one with `ray start --head`, or check the address of its head"
        ) from None


def _check(address: str, known: str) -> None:
    """Raise `LaunchError` where an address is surely not that of the cluster which this process is connected to."""
    host, _, port = address.rpartition(":")
    if not port.isdecimal() or "//" in host or host in REPLACED:
        return
    with suppress(OSError):
        host = socket.gethostbyname(host)
    if f"{host}:{port}" != known:
        raise LaunchError(f"this process is connected to the Ray cluster at {known}, not to {address}: ray.shutdown() first")


def reason(error: BaseException) -> str:
    """Return what an error of Ray's says, in one line: what is in its indented lines, ids, helps nobody."""
    lines = [line for line in str(error).splitlines() if line.strip() and not line.startswith(("\t", "  class_name"))]
    told = " ".join(" ".join(lines).split()) or type(error).__name__
    return told if len(told) <= LONGEST_REASON else f"{told[:HEAD_OF_REASON]} … {told[HEAD_OF_REASON - LONGEST_REASON :]}"


def room(ray: Any, asked: Mapping[str, float]) -> str:
    """Say why nothing that asks for so much finds a place, and what to do."""
    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    fitting = sum(all(node.get(name, 0) >= amount for name, amount in asked.items()) for node in nodes)
    if not fitting:
        most = {name: max((node.get(name, 0) for node in nodes), default=0) for name in asked}
        return (
            f"it asks for {_amounts(asked)}, and of {len(nodes)} nodes none has as much (the most: {_amounts(most)}); "
            "ask for less, or add a node"
        )
    return (
        f"it asks for {_amounts(asked)}, which {fitting} of {len(nodes)} nodes have: other work holds it, or label_selector, "
        "scheduling_strategy or runtime_env is in the way; stop something, or add a node"
    )


def _amounts(resources: Mapping[str, float]) -> str:
    return ", ".join(_amount(name, much) for name, much in resources.items()) or "nothing"


def _amount(name: str, much: float) -> str:
    return f"{much / MIB:.0f} MiB of memory" if name == MEMORY else f"{name} {much:g}"

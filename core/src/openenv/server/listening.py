"""The port that a server listens at."""

from __future__ import annotations

import contextlib
import math
import socket

from ..errors import LaunchError
from ..launch.process import LISTENING


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens there; port 0 takes a free one. Raises `LaunchError` where it cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    if hasattr(socket, "SO_REUSEADDR") and not hasattr(socket, "SO_EXCLUSIVEADDRUSE"):
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except (OSError, OverflowError) as error:
        listener.close()
        told = getattr(error, "strerror", None) or error
        raise LaunchError(f"cannot listen on {host}:{port}: {told}; choose another port or address") from None
    listener.listen(2048)
    return listener


def watch_peers(listener: socket.socket, interval_s: float, timeout_s: float) -> None:
    """Let the system end connections whose peer is gone or takes nothing any more: HTTP has no pings to tell.

    What is set on a listener holds for the connections that it accepts. Only Linux knows all of these options.
    """
    if not interval_s or not timeout_s:
        return
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    options = {
        "TCP_KEEPIDLE": interval_s,
        "TCP_KEEPINTVL": interval_s,
        "TCP_USER_TIMEOUT": 1000 * (interval_s + timeout_s),
    }
    for name, value in options.items():
        if hasattr(socket, name):
            with contextlib.suppress(OSError):  # longer than the system can be told
                listener.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), math.ceil(value))


def url_of(listener: socket.socket, host: str) -> str:
    """Return the base URL of what listens there."""
    printable = f"[{host}]" if ":" in host else host
    return f"http://{printable}:{listener.getsockname()[1]}"


def announce(url: str) -> None:
    """Print the line that tells the server's address."""
    print(f"{LISTENING}{url}", flush=True)

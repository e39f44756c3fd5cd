"""Runs an app on a port until told to stop."""

from __future__ import annotations

import socket
from typing import Any

import uvicorn

from ..errors import LaunchError
from ..wire.messages import DEFAULT_MAX_MESSAGE_BYTES

LISTENING = "openenv: listening on "
"""What a server prints, before its address, once its port is open."""


def serve(app: Any, host: str = "127.0.0.1", port: int = 8000, *, log_level: str = "warning") -> None:
    """Serve an app until SIGINT or SIGTERM.

    Args:
        app: an ASGI application, as `create_app` makes it.
        host: address to listen at; `0.0.0.0` for every interface.
        port: 0 takes a free one; the line that this prints tells which.
        log_level: uvicorn's: `debug`, `info`, `warning`, `error`.

    Raises:
        LaunchError: the port cannot be had.
    """
    listener = _listen(host, port)
    config = uvicorn.Config(
        app,
        ws="websockets-sansio",
        ws_max_size=_message_limit(app),
        ws_per_message_deflate=False,
        log_level=log_level,
        access_log=log_level in ("debug", "trace"),
    )
    print(f"{LISTENING}http://{_printable(host)}:{listener.getsockname()[1]}", flush=True)
    try:
        uvicorn.Server(config).run(sockets=[listener])
    finally:
        listener.close()


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    if hasattr(socket, "SO_REUSEADDR") and not hasattr(socket, "SO_EXCLUSIVEADDRUSE"):
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise LaunchError(f"cannot listen on {host}:{port}: {error.strerror or error}; choose another port") from None
    listener.listen(2048)
    return listener


def _message_limit(app: Any) -> int:
    registry = getattr(getattr(app, "state", None), "registry", None)
    return DEFAULT_MAX_MESSAGE_BYTES if registry is None else int(registry.settings.max_message_bytes)


def _printable(host: str) -> str:
    return f"[{host}]" if ":" in host else host

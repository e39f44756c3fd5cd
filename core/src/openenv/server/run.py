"""Runs an app on a port until told to stop."""

from __future__ import annotations

import contextlib
import logging
import math
import os
import socket
import threading
from types import FrameType
from typing import Any

import uvicorn

from ..errors import LaunchError
from ..launch.process import LISTENING
from ..sessions.registry import Registry
from ..sessions.settings import Settings
from .websocket_protocol import WebSocketProtocol

SOCKETS_CLOSE_WITHIN_S = 5
"""A stopping server waits no longer for clients to answer its goodbye."""

LOOP_ENDS_WITHIN_S = 5.0
"""After everything was closed, what does not let the event loop end is left behind."""


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
    registry = _registry_of(app)
    settings = Settings() if registry is None else registry.settings
    _log(log_level)
    listener = _listen(host, port)
    _watch_peers(listener, settings)
    config = uvicorn.Config(
        app,
        ws=WebSocketProtocol,
        ws_max_size=settings.max_message_bytes,
        ws_ping_interval=settings.ping_interval_s or None,
        ws_ping_timeout=settings.ping_timeout_s or None,
        ws_per_message_deflate=False,
        log_level=log_level,
        access_log=log_level in ("debug", "trace"),
        timeout_graceful_shutdown=SOCKETS_CLOSE_WITHIN_S,
    )
    print(f"{LISTENING}http://{_printable(host)}:{listener.getsockname()[1]}", flush=True)
    try:
        DrainingServer(config, registry).run(sockets=[listener])
    finally:
        listener.close()


class DrainingServer(uvicorn.Server):
    """Ends on SIGINT or SIGTERM with the calls in flight finished, every environment closed, and exit code 0.

    A second signal ends it at once.
    """

    def __init__(self, config: uvicorn.Config, registry: Registry | None) -> None:
        super().__init__(config)
        self._registry = registry

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if self._registry is not None:
            await self._registry.drain()
        await super().shutdown(sockets)
        last_word = threading.Timer(LOOP_ENDS_WITHIN_S, os._exit, [0])
        last_word.daemon = True
        last_word.start()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if self.should_exit:
            os._exit(128 + sig)
        self.should_exit = True


def _log(level: str) -> None:
    """Show what the sessions and environments log, unless the program has seen to that itself."""
    logger = logging.getLogger("openenv")
    if not logger.handlers and not logging.getLogger().handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
        logger.addHandler(handler)
    if logger.level == logging.NOTSET:
        logger.setLevel("DEBUG" if level == "trace" else level.upper())


def _listen(host: str, port: int) -> socket.socket:
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


def _watch_peers(listener: socket.socket, settings: Settings) -> None:
    """Let the system end connections whose peer is gone or takes nothing any more: HTTP has no pings to tell.

    What is set on a listener holds for the connections that it accepts. Only Linux knows all of these options.
    """
    interval_s, timeout_s = settings.ping_interval_s, settings.ping_timeout_s
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


def _registry_of(app: Any) -> Registry | None:
    registry = getattr(getattr(app, "state", None), "registry", None)
    return registry if isinstance(registry, Registry) else None


def _printable(host: str) -> str:
    return f"[{host}]" if ":" in host else host

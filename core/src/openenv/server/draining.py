"""The uvicorn server that every app of this package runs in: it finishes what it has begun before it ends."""

from __future__ import annotations

import logging
import os
import socket
import threading
from types import FrameType
from typing import Any

import uvicorn

from ..sessions.registry import Registry
from ..sessions.settings import Settings
from .unused import Use
from .websocket_protocol import WebSocketProtocol

logger = logging.getLogger("openenv.server")

SOCKETS_CLOSE_WITHIN_S = 5
"""A stopping server waits no longer for clients to answer its goodbye."""

LOOP_ENDS_WITHIN_S = 5.0
"""After everything was closed, what does not let the event loop end is left behind."""


class DrainingServer(uvicorn.Server):
    """Ends on SIGINT, SIGTERM or unused with the calls in flight finished, every environment closed, and exit code 0.

    A second signal ends it at once.
    """

    def __init__(self, config: uvicorn.Config, registry: Registry | None) -> None:
        super().__init__(config)
        self._registry = registry
        self._use: Use | None = None
        if registry is not None and registry.settings.unused_timeout_s is not None:
            self._use = config.app = Use(config.app, registry, registry.settings.unused_timeout_s)

    async def on_tick(self, counter: int) -> bool:
        if self.is_unused():
            self.end_unused()
        return await super().on_tick(counter)

    def is_unused(self) -> bool:
        """Return whether nobody has used this server for as long as it may lie unused."""
        return self._use is not None and self._use.is_over()

    def end_unused(self) -> None:
        """Stop because nobody uses this server."""
        logger.warning("nobody used this server for unused_timeout_s: it stops")
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if self._registry is not None:
            await self._registry.drain()
        await self.drained()
        await super().shutdown(sockets)
        last_word = threading.Timer(LOOP_ENDS_WITHIN_S, os._exit, [0])
        last_word.daemon = True
        last_word.start()

    async def drained(self) -> None:
        """The calls in flight have finished, or are given up; connections are closed once this returns."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if self.should_exit:
            os._exit(128 + sig)
        self.should_exit = True


def uvicorn_config(app: Any, settings: Settings, log_level: str, ws: type[WebSocketProtocol]) -> uvicorn.Config:
    """Return how uvicorn is to run an app."""
    return uvicorn.Config(
        app,
        ws=ws,
        ws_max_size=settings.max_message_bytes,
        ws_ping_interval=settings.ping_interval_s or None,
        ws_ping_timeout=settings.ping_timeout_s or None,
        ws_per_message_deflate=False,
        log_level=log_level,
        access_log=log_level in ("debug", "trace"),
        timeout_graceful_shutdown=SOCKETS_CLOSE_WITHIN_S,
    )


def show_log(level: str) -> None:
    """Show what the sessions and environments log, unless the program has seen to that itself."""
    logger = logging.getLogger("openenv")
    if not logger.handlers and not logging.getLogger().handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
        logger.addHandler(handler)
    if logger.level == logging.NOTSET:
        logger.setLevel("DEBUG" if level == "trace" else level.upper())


def registry_of(app: Any) -> Registry | None:
    """Return the sessions of an app that `create_app` made; None for any other."""
    registry = getattr(getattr(app, "state", None), "registry", None)
    return registry if isinstance(registry, Registry) else None

"""A server that ends once nobody uses it."""

from __future__ import annotations

import time
from typing import Any

from ..sessions.registry import Registry
from . import metrics

MONITORED = ("/health", metrics.PATH)
"""What monitors ask for, also of a server that nobody uses."""


class Use:
    """An app that notes when it was last used: while a session lives, and with each request but those of monitors.

    Args:
        app: an ASGI application.
        registry: its sessions.
        limit_s: seconds after which it counts as unused.
    """

    def __init__(self, app: Any, registry: Registry, limit_s: float) -> None:
        self._app = app
        self._registry = registry
        self._limit_s = limit_s
        self._last = time.monotonic()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope.get("path") not in MONITORED:
            self._last = time.monotonic()
        await self._app(scope, receive, send)

    def is_over(self) -> bool:
        """Return whether nobody has used it for `limit_s`; to be asked often, for that is when sessions are looked for."""
        now = time.monotonic()
        if len(self._registry):
            self._last = now
        return now - self._last >= self._limit_s

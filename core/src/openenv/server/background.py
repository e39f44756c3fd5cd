"""A server in a thread of this process, for as long as a block runs."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

from ..errors import LaunchError
from ..sessions.settings import Settings
from .draining import registry_of, uvicorn_config
from .listening import listen
from .websocket_protocol import WebSocketProtocol

START_TIMEOUT_S = 30.0


@contextmanager
def in_background(app: Any, host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
    """Serve an app, as `serve` does but with no part in signals, and yield its base URL.

    Args:
        app: an ASGI application, as `create_app` makes it.
        host: address to listen at.
        port: 0 takes a free one.

    Raises:
        LaunchError: the port cannot be had, or the app does not start.
    """
    registry = registry_of(app)
    settings = Settings() if registry is None else registry.settings
    listener = listen(host, port)
    server = uvicorn.Server(uvicorn_config(app, settings, "error", WebSocketProtocol))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listener])), name="openenv-server", daemon=True)
    thread.start()
    try:
        started = threading.Event()
        for _ in range(int(START_TIMEOUT_S / 0.01)):
            if server.started or not thread.is_alive():
                break
            started.wait(0.01)
        if not server.started:
            raise LaunchError("the app did not start; its log says why")
        yield f"http://{host}:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(settings.drain_timeout_s + settings.close_timeout_s)
        listener.close()

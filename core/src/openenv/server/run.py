"""Runs an app on a port until told to stop."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from ..errors import UsageError
from ..sessions.settings import PREFIX, Settings
from .draining import DrainingServer, registry_of, show_log, uvicorn_config
from .listening import announce, listen, url_of, watch_peers
from .naming import app_named
from .websocket_protocol import WebSocketProtocol
from .workers.serving import serve_with_workers

WORKERS_VARIABLE = f"{PREFIX}WORKERS"


def serve(
    app: Any,
    host: str = "127.0.0.1",
    port: int = 8000,
    *,
    log_level: str = "warning",
    workers: int | None = None,
    on_listening: Callable[[str], None] = announce,
) -> None:
    """Serve an app until SIGINT or SIGTERM.

    Args:
        app: an ASGI application, as `create_app` makes it, or its name, `module:attribute`, which may also be
            that of an `Environment` class.
        host: address to listen at; `0.0.0.0` for every interface.
        port: 0 takes a free one; the line that this prints tells which.
        log_level: uvicorn's: `debug`, `info`, `warning`, `error`.
        workers: processes that share the port and the slots; POSIX only. Each imports the app where it is given by name,
            and is else a copy of this process, which may then have no other threads. None takes `OPENENV_WORKERS`, else 1.
        on_listening: called once with the base URL, when the port is bound; by default prints it.

    Raises:
        LaunchError: the port cannot be had, or a worker process could not start.
        UsageError: there is no such app, or it cannot be served by so many processes.
    """
    workers = _workers(workers)
    if workers > 1:
        serve_with_workers(app, host, port, log_level, workers, on_listening)
        return
    app = app_named(app) if isinstance(app, str) else app
    registry = registry_of(app)
    settings = Settings() if registry is None else registry.settings
    show_log(log_level)
    listener = listen(host, port)
    watch_peers(listener, settings.ping_interval_s, settings.ping_timeout_s)
    config = uvicorn_config(app, settings, log_level, WebSocketProtocol)
    on_listening(url_of(listener, host))
    try:
        DrainingServer(config, registry).run(sockets=[listener])
    finally:
        listener.close()


def _workers(given: int | None) -> int:
    told = f"workers={given}"
    if given is None:
        text = os.environ.get(WORKERS_VARIABLE, "").strip() or "1"
        told, given = f"{WORKERS_VARIABLE}={text!r}", int(text) if text.isdecimal() else 0
    if given < 1:
        raise UsageError(f"{told}: the number of worker processes is a whole number of at least 1")
    return given

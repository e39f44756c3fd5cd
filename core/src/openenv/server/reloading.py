"""A server that starts again whenever a file of its code changes."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable
from functools import partial
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path

from uvicorn.supervisors import ChangeReload

from ..errors import OpenEnvError
from ..sessions.settings import Settings
from .draining import DrainingServer, registry_of, show_log, uvicorn_config
from .ending import stop_with
from .listening import announce, listen, url_of, watch_peers
from .naming import app_named
from .websocket_protocol import WebSocketProtocol


def serve_reloading(
    app: str,
    watched: list[Path],
    host: str = "127.0.0.1",
    port: int = 8000,
    *,
    log_level: str = "warning",
    on_listening: Callable[[str], None] = announce,
) -> None:
    """Serve an app in a process of its own, which is ended and started again when a Python file changes.

    The port stays open meanwhile. Code that does not load is told in one line, and tried again at the next change.

    Args:
        app: `module:attribute`.
        watched: folders whose Python files are watched.
        host, port, log_level, on_listening: as for `openenv.server.serve`.

    Raises:
        LaunchError: the port cannot be had.
    """
    listener = listen(host, port)
    ends, life = Pipe(duplex=False)
    config = uvicorn_config(app, Settings(), log_level, WebSocketProtocol)
    config.reload = True
    config.reload_dirs = [folder.resolve() for folder in watched]
    on_listening(url_of(listener, host))
    try:
        ChangeReload(config, partial(_serve, app, log_level, ends), [listener]).run()
    finally:
        life.close()
        ends.close()


def _serve(app: str, log_level: str, ends: Connection, sockets: list[socket.socket] | None) -> None:
    """Be the process that serves: in a process group of its own, so that the one above alone hears Ctrl-C."""
    if hasattr(os, "setpgrp"):
        os.setpgrp()
    stop_with(ends.fileno())
    show_log(log_level)
    try:
        loaded = app_named(app)
    except OpenEnvError as error:
        print(f"openenv: {error.message}", file=sys.stderr, flush=True)
        sys.exit(1)
    registry = registry_of(loaded)
    settings = Settings() if registry is None else registry.settings
    for listener in sockets or []:
        watch_peers(listener, settings.ping_interval_s, settings.ping_timeout_s)
    DrainingServer(uvicorn_config(loaded, settings, log_level, WebSocketProtocol), registry).run(sockets=sockets)

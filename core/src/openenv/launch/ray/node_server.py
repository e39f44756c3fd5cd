"""What runs on a node: an actor that holds a server's process."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from ..process import LISTENING_LINE, ServerProcess

CALLS_AT_ONCE = 8
"""Threads of the actor: one waits for the server's end, and the others must not wait for that one."""


class NodeServer:
    """Runs `python -m openenv.server` at the address of the node that it lives on.

    Becomes an actor by `ray.remote`. The server holds the read end of a pipe from the actor's process and stops when that
    ends, which it does however that process ends; Ray ends it when its owner or its node is gone.

    Args:
        app: `module:attribute` of the app.
        port: 0 takes a free one of the node.
        env_vars: environment variables of the server, over the actor's.
    """

    def __init__(self, app: str, port: int, env_vars: Mapping[str, str]) -> None:
        import ray

        host = ray.util.get_node_ip_address()
        command = [sys.executable, "-m", "openenv.server", app, "--host", host, "--port", str(port), "--stop-with-stdin"]
        self._server = ServerProcess(app, command, env_vars, LISTENING_LINE)

    def placed(self) -> None:
        """Return, which tells that the actor has a node."""

    def url(self, timeout_s: float) -> str | None:
        """Return where the server listens, or None where it does not tell in time or ends."""
        return self._server.wait_for_url(timeout_s)

    def ended(self) -> None:
        """Return once the server's process has ended."""
        self._server.wait()

    def report(self, what: str) -> str:
        """Say what went wrong, with the exit code and the last lines of output."""
        return self._server.report(what)

    def output(self) -> list[str]:
        """Return the last lines that the server printed."""
        return list(self._server.lines)

    def stop(self, timeout_s: float) -> None:
        """End the server: ask it, and kill it where it does not listen in time."""
        self._server.stop(timeout_s)

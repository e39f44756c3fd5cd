"""`python -m openenv.server echo_env.server.app:app --port 8000`: serve an app by its name."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading

from ..errors import OpenEnvError
from ..sessions.spec import load
from .run import serve

STOP_WITHIN_S = 30.0
"""A server whose parent is gone and that has not stopped by then is stuck, and ends at once."""


def main(arguments: list[str] | None = None) -> int:
    """Serve until stopped; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m openenv.server", description="Serve an environment's app.")
    parser.add_argument("app", help="module:attribute of the app, echo_env.server.app:app")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000, help="0 takes a free one")
    parser.add_argument("--log-level", default="warning", choices=["debug", "info", "warning", "error"])
    parser.add_argument("--stop-with-stdin", action="store_true", help="stop when standard input ends")
    options = parser.parse_args(arguments)
    if options.stop_with_stdin:
        threading.Thread(target=_stop_with_stdin, daemon=True).start()
    try:
        serve(load(options.app), options.host, options.port, log_level=options.log_level)
    except OpenEnvError as error:
        print(f"openenv: {error}", file=sys.stderr)
        return 1
    return 0


def _stop_with_stdin() -> None:
    """Wait for the end of standard input, which comes however the parent ended, then stop as SIGTERM would."""
    while os.read(sys.stdin.fileno(), 4096):
        pass
    signal.raise_signal(signal.SIGTERM)
    threading.Event().wait(STOP_WITHIN_S)
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main())

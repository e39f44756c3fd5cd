"""`python -m openenv.server echo_env.server.app:app --port 8000`: serve an app by its name."""

from __future__ import annotations

import argparse
import sys

from ..errors import OpenEnvError
from .ending import stop_with
from .folder import app_of, is_folder
from .run import serve


def main(arguments: list[str] | None = None) -> int:
    """Serve until stopped; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m openenv.server", description="Serve an environment's app.")
    parser.add_argument("app", help="module:attribute of the app, echo_env.server.app:app, or an environment's folder")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000, help="0 takes a free one")
    parser.add_argument("--log-level", default="warning", choices=["debug", "info", "warning", "error"])
    parser.add_argument("--workers", type=int, help="processes that share the port (OPENENV_WORKERS, else 1)")
    parser.add_argument("--stop-with-stdin", action="store_true", help="stop when standard input ends")
    options = parser.parse_args(arguments)
    if options.stop_with_stdin:
        stop_with(sys.stdin.fileno())
    try:
        app = app_of(options.app) if is_folder(options.app) else options.app
        serve(app, options.host, options.port, log_level=options.log_level, workers=options.workers)
    except OpenEnvError as error:
        print(f"openenv: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

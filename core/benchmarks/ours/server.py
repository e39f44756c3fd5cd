"""Serves the environment with this project: `python -m ours.server KIND ISOLATION SESSIONS`."""

from __future__ import annotations

import sys

from ours.environment import Move, game, observation
from process_start import allow_many_sockets, end_with_parent

from openenv.server import create_app, serve


def main(kind: str, isolation: str, sessions: str) -> None:
    allow_many_sockets()
    end_with_parent()
    app = create_app(game(kind), Move, observation(kind), max_concurrent_envs=int(sessions), isolation=isolation)
    serve(app, port=0, log_level="error")


if __name__ == "__main__":
    main(*sys.argv[1:])

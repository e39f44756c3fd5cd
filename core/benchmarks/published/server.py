"""Serves the environment with the published package: `python -m published.server KIND SESSIONS`."""

import sys

import uvicorn
from process_start import allow_many_sockets, end_with_parent, listening_socket
from published.environment import Move, game, observation

from openenv.core.env_server import create_fastapi_app


def main(kind, sessions):
    allow_many_sockets()
    end_with_parent()
    app = create_fastapi_app(game(kind), Move, observation(kind), max_concurrent_envs=int(sessions))
    listener = listening_socket()
    uvicorn.Server(uvicorn.Config(app, log_level="error")).run(sockets=[listener])


if __name__ == "__main__":
    main(*sys.argv[1:])

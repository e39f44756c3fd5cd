"""The Connect Four environment as a web application."""

from openenv.server import create_app

from .environment import Connect4Environment

app = create_app(Connect4Environment, env_name="connect4")

"""The echo environment as a web application."""

from openenv.server import create_app

from .environment import EchoEnvironment

app = create_app(EchoEnvironment, env_name="echo")

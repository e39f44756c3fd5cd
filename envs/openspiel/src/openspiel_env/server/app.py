"""OpenSpiel's games as a web application."""

from openenv.server import create_app

from .environment import OpenSpielEnvironment

app = create_app(OpenSpielEnvironment, env_name="openspiel")

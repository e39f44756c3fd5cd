"""The coding environment as a web application."""

from openenv.server import create_app

from .environment import CodingEnvironment

app = create_app(CodingEnvironment, env_name="coding")

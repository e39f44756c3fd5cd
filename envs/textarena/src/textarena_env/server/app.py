"""The TextArena server's application: `textarena_env.server.app:app`."""

from openenv.server import create_app

from .environment import TextArenaEnvironment

app = create_app(TextArenaEnvironment, env_name="textarena")

"""The TextArena server's application: `textarena_env.server.app:app`."""

from __future__ import annotations

from openenv.server import create_app, serve

from .environment import TextArenaEnvironment

app = create_app(TextArenaEnvironment, env_name="textarena")


def main() -> None:
    """Serve on this machine's port 8000 until stopped."""
    serve(app, "127.0.0.1", 8000)


if __name__ == "__main__":
    main()

"""The OpenSpiel server's application: `openspiel_env.server.app:app`."""

from __future__ import annotations

from openenv.server import create_app, serve

from .environment import OpenSpielEnvironment

app = create_app(OpenSpielEnvironment, env_name="openspiel")


def main() -> None:
    """Serve on this machine's port 8000 until stopped."""
    serve(app, "127.0.0.1", 8000)


if __name__ == "__main__":
    main()

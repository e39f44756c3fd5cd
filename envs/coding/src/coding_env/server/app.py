"""The coding server's application: `coding_env.server.app:app`."""

from __future__ import annotations

from openenv.server import create_app, serve

from .environment import CodingEnvironment

app = create_app(CodingEnvironment, env_name="coding")


def main() -> None:
    """Serve on this machine's port 8000 until stopped."""
    serve(app, "127.0.0.1", 8000)


if __name__ == "__main__":
    main()

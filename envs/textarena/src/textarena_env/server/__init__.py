"""The server's side, which needs the `[server]` extra: TextArena itself."""

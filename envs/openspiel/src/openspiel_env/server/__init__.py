"""The server's side, which needs the `[server]` extra: OpenSpiel itself."""

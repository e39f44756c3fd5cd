"""`openenv.core.containers`."""

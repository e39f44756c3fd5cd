"""The version of openenv-connect4-env; the only place that states it."""

__version__ = "0.1.0"

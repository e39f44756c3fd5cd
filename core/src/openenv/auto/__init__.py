"""`openenv.auto`: clients and actions of environments by name."""

from ..client.auto import (
    AutoAction,
    AutoEnv,
)

__all__ = [
    "AutoAction",
    "AutoEnv",
]

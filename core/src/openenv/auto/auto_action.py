"""`openenv.auto.auto_action`."""

from ..client.auto import (
    AutoAction,
    AutoEnv,
)
from ..client.discovery import (
    get_discovery,
)

__all__ = [
    "AutoAction",
    "AutoEnv",
    "get_discovery",
]

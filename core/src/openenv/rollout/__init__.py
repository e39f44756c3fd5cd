"""Episodes played for trainers."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .fleet import Fleet, FleetEvent, FleetSettings, FleetStatus, SyncFleet

__all__ = ["Fleet", "FleetEvent", "FleetSettings", "FleetStatus", "SyncFleet"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(".fleet", __name__), name)

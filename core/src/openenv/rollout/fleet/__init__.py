"""Many servers of one environment, used as one."""

from .account import EpisodeCounts, SessionCounts
from .events import FleetEvent
from .fleet import Fleet
from .server import ServerState
from .settings import FleetSettings
from .status import FleetStatus, ServerStatus
from .sync import SyncFleet

__all__ = [
    "EpisodeCounts",
    "Fleet",
    "FleetEvent",
    "FleetSettings",
    "FleetStatus",
    "ServerState",
    "ServerStatus",
    "SessionCounts",
    "SyncFleet",
]

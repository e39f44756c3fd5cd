"""`openenv.core.sync_client`."""

from ..client import (
    SyncEnvClient,
)
from ..client.sync import (
    StateT,
)
from ..contract import (
    StepResult,
)

__all__ = [
    "StateT",
    "StepResult",
    "SyncEnvClient",
]

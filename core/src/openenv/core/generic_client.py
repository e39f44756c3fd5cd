"""`openenv.core.generic_client`."""

from ..client import (
    EnvClient,
    GenericAction,
    GenericEnvClient,
)
from ..contract import (
    StepResult,
)

__all__ = [
    "EnvClient",
    "GenericAction",
    "GenericEnvClient",
    "StepResult",
]

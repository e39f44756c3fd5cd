"""`openenv.core.client_types`."""

from ..contract import (
    StepResult,
)

__all__ = [
    "StepResult",
]

"""`openenv.core.env_server.base_transforms`."""

from ...contract import (
    CompositeTransform,
    NullTransform,
    Transform,
)
from ...contract.models import (
    Observation,
)

__all__ = [
    "CompositeTransform",
    "NullTransform",
    "Observation",
    "Transform",
]

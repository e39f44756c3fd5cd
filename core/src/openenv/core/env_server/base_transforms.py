"""`openenv.core.env_server.base_transforms`."""

from ...contract import (
    CompositeTransform,
    NullTransform,
    Observation,
    Transform,
)

__all__ = [
    "CompositeTransform",
    "NullTransform",
    "Observation",
    "Transform",
]

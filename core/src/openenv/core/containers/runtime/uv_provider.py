"""`openenv.core.containers.runtime.uv_provider`."""

from ....launch.provider import (
    RuntimeProvider,
)
from ....launch.uv import (
    UVProvider,
)

__all__ = [
    "RuntimeProvider",
    "UVProvider",
]

"""Reinforcement-learning environments as typed, isolated services.

Play one: subclass or import an `EnvClient`. Write one: inherit `Environment`. Serve one: `openenv.server.create_app`.
"""

import importlib
from typing import TYPE_CHECKING, Any

from .client import EnvClient, GenericAction, GenericEnvClient, SyncEnvClient
from .contract import (
    Action,
    Array,
    CompositeTransform,
    Environment,
    EnvironmentMetadata,
    NoEpisodeError,
    NullTransform,
    Observation,
    State,
    StepResult,
    Transform,
)
from .errors import OpenEnvError
from .version import __version__

if TYPE_CHECKING:
    from .client.auto import AutoAction, AutoEnv

__all__ = [
    "Action",
    "Array",
    "AutoAction",
    "AutoEnv",
    "CompositeTransform",
    "EnvClient",
    "Environment",
    "EnvironmentMetadata",
    "GenericAction",
    "GenericEnvClient",
    "NoEpisodeError",
    "NullTransform",
    "Observation",
    "OpenEnvError",
    "State",
    "StepResult",
    "SyncEnvClient",
    "Transform",
    "__version__",
]

_LATER = ("AutoAction", "AutoEnv")


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(".client.auto", __name__), name)

"""Reinforcement-learning environments as typed, isolated services.

Play one: subclass or import an `EnvClient`. Write one: inherit `Environment`. Serve one: `openenv.server.create_app`.
"""

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

__all__ = [
    "Action",
    "Array",
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

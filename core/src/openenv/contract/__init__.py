"""What an environment and its users agree on."""

from .arrays import Array
from .environment import Environment, NoEpisodeError
from .mode import ServerMode
from .models import Action, EnvironmentMetadata, Observation, State
from .result import StepResult
from .transforms import CompositeTransform, NullTransform, Transform

__all__ = [
    "Action",
    "Array",
    "CompositeTransform",
    "Environment",
    "EnvironmentMetadata",
    "NoEpisodeError",
    "NullTransform",
    "Observation",
    "ServerMode",
    "State",
    "StepResult",
    "Transform",
]

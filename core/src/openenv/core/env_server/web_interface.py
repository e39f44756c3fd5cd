"""`openenv.core.env_server.web_interface`: what environments out there import of it."""

from ...contract import (
    Environment,
)
from ...contract.generics import (
    overrides_method,
)
from ...contract.models import (
    Action,
    EnvironmentMetadata,
    Observation,
    State,
)
from ...sessions.offers import (
    load_environment_metadata,
)
from ...wire.serialization import (
    deserialize_action_with_preprocessing,
    serialize_observation,
)

__all__ = [
    "Action",
    "Environment",
    "EnvironmentMetadata",
    "Observation",
    "State",
    "deserialize_action_with_preprocessing",
    "load_environment_metadata",
    "overrides_method",
    "serialize_observation",
]

"""`openenv.core.env_server.serialization`."""

from ...contract.models import (
    Action,
    Observation,
)
from ...contract.tools import (
    CallToolAction,
    ListToolsAction,
)
from ...wire.serialization import (
    deserialize_action,
    deserialize_action_with_preprocessing,
    serialize_observation,
)

__all__ = [
    "Action",
    "CallToolAction",
    "ListToolsAction",
    "Observation",
    "deserialize_action",
    "deserialize_action_with_preprocessing",
    "serialize_observation",
]

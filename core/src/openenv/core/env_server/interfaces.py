"""`openenv.core.env_server.interfaces`: what environments' authors inherit."""

from ...contract import (
    Action,
    Environment,
    EnvironmentMetadata,
    Observation,
    State,
    Transform,
)
from ...contract.tasks import (
    TaskProvider,
)
from ...contract.tokenizer import (
    Message,
    ModelTokenizer,
)

__all__ = [
    "Action",
    "Environment",
    "EnvironmentMetadata",
    "Message",
    "ModelTokenizer",
    "Observation",
    "State",
    "TaskProvider",
    "Transform",
]

"""`openenv.core.env_server.interfaces`: what environments' authors inherit."""

from ...contract import (
    Environment,
    Transform,
)
from ...contract.models import (
    Action,
    EnvironmentMetadata,
    Observation,
    State,
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

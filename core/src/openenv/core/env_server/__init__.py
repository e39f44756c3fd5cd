"""`openenv.core.env_server`: the published names of what environments and servers are made of.

What needs a web framework is imported when it is first asked for.
"""

from typing import TYPE_CHECKING, Any

from ...contract import (
    Action,
    CompositeTransform,
    Environment,
    NullTransform,
    Observation,
    State,
    Transform,
)
from ...contract.tasks import (
    GetTaskRangeRequest,
    GetTaskRequest,
    ListTasksRequest,
    NumTasksRequest,
    TaskProvider,
)
from ...contract.tokenizer import (
    Message,
    ModelTokenizer,
)
from ...errors import (
    ConcurrencyConfigurationError,
    EnvironmentFactoryError,
    OpenEnvError,
    SessionCapacityError,
    SessionCreationError,
    SessionNotFoundError,
)
from ...sessions.capacity import (
    ConcurrencyConfig,
    ServerCapacityStatus,
    ServerMode,
    SessionInfo,
)
from ...wire.models import (
    BaseMessage,
    HealthResponse,
    HealthStatus,
    SchemaResponse,
    WSCloseMessage,
    WSErrorCode,
    WSErrorResponse,
    WSIncomingMessage,
    WSObservationResponse,
    WSResetMessage,
    WSStateMessage,
    WSStateResponse,
    WSStepMessage,
)
from ...wire.serialization import (
    deserialize_action,
    deserialize_action_with_preprocessing,
    serialize_observation,
)

if TYPE_CHECKING:
    from ...server import (
        HTTPEnvServer,
        create_app,
        create_fastapi_app,
    )
    from ...server.get_endpoints import (
        GetEndpointConfig,
    )

__all__ = [
    "Action",
    "BaseMessage",
    "CompositeTransform",
    "ConcurrencyConfig",
    "ConcurrencyConfigurationError",
    "Environment",
    "EnvironmentFactoryError",
    "GetEndpointConfig",
    "GetTaskRangeRequest",
    "GetTaskRequest",
    "HTTPEnvServer",
    "HealthResponse",
    "HealthStatus",
    "ListTasksRequest",
    "Message",
    "ModelTokenizer",
    "NullTransform",
    "NumTasksRequest",
    "Observation",
    "OpenEnvError",
    "SchemaResponse",
    "ServerCapacityStatus",
    "ServerMode",
    "SessionCapacityError",
    "SessionCreationError",
    "SessionInfo",
    "SessionNotFoundError",
    "State",
    "TaskProvider",
    "Transform",
    "WSCloseMessage",
    "WSErrorCode",
    "WSErrorResponse",
    "WSIncomingMessage",
    "WSObservationResponse",
    "WSResetMessage",
    "WSStateMessage",
    "WSStateResponse",
    "WSStepMessage",
    "create_app",
    "create_fastapi_app",
    "deserialize_action",
    "deserialize_action_with_preprocessing",
    "serialize_observation",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from . import http_server

    return getattr(http_server, name)

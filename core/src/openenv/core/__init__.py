"""`openenv.core`: the import paths of the published OpenEnv API.

What needs a web framework is imported when it is first asked for.
"""

from typing import TYPE_CHECKING, Any

from ..client import (
    EnvClient,
    GenericAction,
    GenericEnvClient,
    SyncEnvClient,
)
from ..contract import (
    Action,
    CompositeTransform,
    Environment,
    NullTransform,
    Observation,
    State,
    Transform,
)
from ..contract.tasks import (
    GetTaskRangeRequest,
    GetTaskRequest,
    ListTasksRequest,
    NumTasksRequest,
    TaskProvider,
)
from ..contract.tokenizer import (
    Message,
    ModelTokenizer,
)
from ..errors import (
    ConcurrencyConfigurationError,
    EnvironmentFactoryError,
    OpenEnvError,
    SessionCapacityError,
    SessionCreationError,
    SessionNotFoundError,
)
from ..sessions.capacity import (
    ConcurrencyConfig,
    ServerCapacityStatus,
    ServerMode,
    SessionInfo,
)
from ..wire.models import (
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
from ..wire.serialization import (
    deserialize_action,
    deserialize_action_with_preprocessing,
    serialize_observation,
)

if TYPE_CHECKING:
    from ..server import (
        HTTPEnvServer,
        create_app,
        create_fastapi_app,
    )
    from ..server.get_endpoints import (
        GetEndpointConfig,
    )

__all__ = [
    "Action",
    "BaseMessage",
    "CompositeTransform",
    "ConcurrencyConfig",
    "ConcurrencyConfigurationError",
    "EnvClient",
    "Environment",
    "EnvironmentFactoryError",
    "GenericAction",
    "GenericEnvClient",
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
    "SyncEnvClient",
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
    from .env_server import http_server

    return getattr(http_server, name)

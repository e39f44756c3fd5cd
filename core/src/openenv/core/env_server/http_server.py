"""`openenv.core.env_server.http_server`: the server, and what it is made of."""

from ...contract import (
    Action,
    Environment,
    EnvironmentMetadata,
    Observation,
    State,
)
from ...contract.generics import (
    overrides_method,
)
from ...contract.tasks import (
    GetTaskRangeRequest,
    GetTaskRequest,
    ListTasksRequest,
    NumTasksRequest,
)
from ...errors import (
    ConcurrencyConfigurationError,
    EnvironmentFactoryError,
    SessionCapacityError,
)
from ...server import (
    HTTPEnvServer,
    create_app,
    create_fastapi_app,
)
from ...server.get_endpoints import (
    GetEndpointConfig,
    register_get_endpoints,
)
from ...sessions.capacity import (
    ConcurrencyConfig,
    ServerCapacityStatus,
    ServerMode,
    SessionInfo,
)
from ...wire.models import (
    HealthResponse,
    HealthStatus,
    ResetRequest,
    ResetResponse,
    SchemaResponse,
    StepRequest,
    StepResponse,
    WSCloseMessage,
    WSErrorCode,
    WSErrorResponse,
    WSObservationResponse,
    WSResetMessage,
    WSStateMessage,
    WSStateResponse,
    WSStepMessage,
)
from ...wire.serialization import (
    deserialize_action,
    serialize_observation,
)

__all__ = [
    "Action",
    "ConcurrencyConfig",
    "ConcurrencyConfigurationError",
    "Environment",
    "EnvironmentFactoryError",
    "EnvironmentMetadata",
    "GetEndpointConfig",
    "GetTaskRangeRequest",
    "GetTaskRequest",
    "HTTPEnvServer",
    "HealthResponse",
    "HealthStatus",
    "ListTasksRequest",
    "NumTasksRequest",
    "Observation",
    "ResetRequest",
    "ResetResponse",
    "SchemaResponse",
    "ServerCapacityStatus",
    "ServerMode",
    "SessionCapacityError",
    "SessionInfo",
    "State",
    "StepRequest",
    "StepResponse",
    "WSCloseMessage",
    "WSErrorCode",
    "WSErrorResponse",
    "WSObservationResponse",
    "WSResetMessage",
    "WSStateMessage",
    "WSStateResponse",
    "WSStepMessage",
    "create_app",
    "create_fastapi_app",
    "deserialize_action",
    "overrides_method",
    "register_get_endpoints",
    "serialize_observation",
]

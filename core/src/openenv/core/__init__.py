"""`openenv.core`: the import paths of the published OpenEnv API.

What needs more than models and a client is imported when it is first asked for.
"""

import importlib
from typing import TYPE_CHECKING, Any

from ..client import (
    EnvClient,
    GenericAction,
    GenericEnvClient,
    SyncEnvClient,
)
from ..client.tools import (
    MCPClientBase,
    MCPToolClient,
)
from ..contract import (
    CompositeTransform,
    Environment,
    NullTransform,
    ServerMode,
    Transform,
)
from ..contract.models import (
    Action,
    Observation,
    State,
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
from ..contract.tools import (
    RESERVED_TOOL_NAMES,
    CallToolAction,
    CallToolObservation,
    ListToolsAction,
    ListToolsObservation,
    Tool,
    ToolError,
    ToolErrorType,
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
    SessionInfo,
)
from ..wire.jsonrpc import (
    JsonRpcError,
    JsonRpcErrorCode,
    JsonRpcRequest,
    JsonRpcResponse,
    McpMethod,
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
    WSMCPMessage,
    WSMCPResponse,
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
    from ..llm import (
        AnthropicClient,
        LLMClient,
        LLMResponse,
        OpenAIClient,
        ToolCall,
        create_llm_client,
    )
    from ..mcp import (
        MCPEnvironment,
    )
    from ..server import (
        HTTPEnvServer,
        create_app,
        create_fastapi_app,
        create_web_interface_app,
    )
    from ..server.get_endpoints import (
        GetEndpointConfig,
    )
    from ..web import (
        WebInterfaceManager,
    )

__all__ = [
    "RESERVED_TOOL_NAMES",
    "Action",
    "AnthropicClient",
    "BaseMessage",
    "CallToolAction",
    "CallToolObservation",
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
    "JsonRpcError",
    "JsonRpcErrorCode",
    "JsonRpcRequest",
    "JsonRpcResponse",
    "LLMClient",
    "LLMResponse",
    "ListTasksRequest",
    "ListToolsAction",
    "ListToolsObservation",
    "MCPClientBase",
    "MCPEnvironment",
    "MCPToolClient",
    "McpMethod",
    "Message",
    "ModelTokenizer",
    "NullTransform",
    "NumTasksRequest",
    "Observation",
    "OpenAIClient",
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
    "Tool",
    "ToolCall",
    "ToolError",
    "ToolErrorType",
    "Transform",
    "WSCloseMessage",
    "WSErrorCode",
    "WSErrorResponse",
    "WSIncomingMessage",
    "WSMCPMessage",
    "WSMCPResponse",
    "WSObservationResponse",
    "WSResetMessage",
    "WSStateMessage",
    "WSStateResponse",
    "WSStepMessage",
    "WebInterfaceManager",
    "create_app",
    "create_fastapi_app",
    "create_llm_client",
    "create_web_interface_app",
    "deserialize_action",
    "deserialize_action_with_preprocessing",
    "serialize_observation",
]

_LATER = {
    "AnthropicClient": "..llm",
    "GetEndpointConfig": "..server.get_endpoints",
    "HTTPEnvServer": "..server",
    "LLMClient": "..llm",
    "LLMResponse": "..llm",
    "MCPEnvironment": "..mcp",
    "OpenAIClient": "..llm",
    "ToolCall": "..llm",
    "WebInterfaceManager": "..web",
    "create_app": "..server",
    "create_fastapi_app": "..server",
    "create_llm_client": "..llm",
    "create_web_interface_app": "..server",
}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_LATER[name], __name__), name)

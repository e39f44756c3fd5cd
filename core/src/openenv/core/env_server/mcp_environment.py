"""`openenv.core.env_server.mcp_environment`: environments made of tools."""

from ...contract import (
    Environment,
)
from ...contract.models import (
    Action,
    Observation,
)
from ...contract.running import (
    run_async_safely,
)
from ...contract.tools import (
    RESERVED_TOOL_NAMES,
    CallToolAction,
    CallToolObservation,
    ListToolsAction,
    ListToolsObservation,
    Tool,
    ToolError,
    ToolErrorType,
)
from ...mcp import (
    MCPEnvironment,
)
from ...mcp.server_tools import (
    get_server_tools,
)

__all__ = [
    "RESERVED_TOOL_NAMES",
    "Action",
    "CallToolAction",
    "CallToolObservation",
    "Environment",
    "ListToolsAction",
    "ListToolsObservation",
    "MCPEnvironment",
    "Observation",
    "Tool",
    "ToolError",
    "ToolErrorType",
    "get_server_tools",
    "run_async_safely",
]

"""`openenv.core.mcp_client`: clients of environments made of tools."""

from ..client import (
    EnvClient,
)
from ..client.tools import (
    GenericMCPObservation,
    MCPClientBase,
    MCPToolClient,
)
from ..contract import (
    StepResult,
)
from ..contract.models import (
    Observation,
    State,
)
from ..contract.tools import (
    CallToolAction,
    CallToolObservation,
    ListToolsAction,
    ListToolsObservation,
    Tool,
    ToolError,
)

__all__ = [
    "CallToolAction",
    "CallToolObservation",
    "EnvClient",
    "GenericMCPObservation",
    "ListToolsAction",
    "ListToolsObservation",
    "MCPClientBase",
    "MCPToolClient",
    "Observation",
    "State",
    "StepResult",
    "Tool",
    "ToolError",
]

"""Harnesses: what plays an episode for a trainer (a loop of model and tools), and what runs an agent inside an environment.

Nothing here needs an MCP library, except to serve the tools of a FastMCP server to a harness.
"""

from .adapter import HarnessAdapter
from .agentic import AgenticHarnessAdapter
from .black_box import CLIHarnessAdapter, SessionMCPBridge
from .client_session import StepEnvSessionAdapter
from .config import HarnessConfig, HarnessTransport
from .environment import HarnessAction, HarnessEnvironment
from .events import HarnessClientMessage, HarnessEvent, HarnessEventType, HarnessResponse, events_to_metadata
from .mcp_bridge import HarnessMCPBridge, build_bridge_server
from .model_step import ModelStep, ModelStepResult
from .process import HarnessProcess
from .rollout_function import build_harness_rollout_func
from .rollout_result import HarnessRolloutResult, HarnessRunLimits, RolloutEvent
from .session import LoopOwningSession, Message, ResourceSession, ResourceSessionFactory, TrainableSession, VerifyResult
from .tool_names import resolve_tool_conflicts
from .tool_result import ToolResult, ToolTraceEntry
from .training import TraceEntry, TrainingTrace, TrainingTurn
from .white_box import MCPHarnessAdapter

__all__ = [
    "AgenticHarnessAdapter",
    "CLIHarnessAdapter",
    "HarnessAction",
    "HarnessAdapter",
    "HarnessClientMessage",
    "HarnessConfig",
    "HarnessEnvironment",
    "HarnessEvent",
    "HarnessEventType",
    "HarnessMCPBridge",
    "HarnessProcess",
    "HarnessResponse",
    "HarnessRolloutResult",
    "HarnessRunLimits",
    "HarnessTransport",
    "LoopOwningSession",
    "MCPHarnessAdapter",
    "Message",
    "ModelStep",
    "ModelStepResult",
    "ResourceSession",
    "ResourceSessionFactory",
    "RolloutEvent",
    "SessionMCPBridge",
    "StepEnvSessionAdapter",
    "ToolResult",
    "ToolTraceEntry",
    "TraceEntry",
    "TrainableSession",
    "TrainingTrace",
    "TrainingTurn",
    "VerifyResult",
    "build_bridge_server",
    "build_harness_rollout_func",
    "events_to_metadata",
    "resolve_tool_conflicts",
]

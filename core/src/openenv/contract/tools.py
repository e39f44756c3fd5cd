"""Tools: what an agent may call by name, and what comes of it."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from .models import Action, Observation

RESERVED_TOOL_NAMES: Final = frozenset({"reset", "step", "state", "close"})
"""Names that no tool may have: agents have no part in the control of an episode."""


class Tool(BaseModel):
    """What is said of a tool to those who may call it."""

    model_config = ConfigDict(extra="forbid")

    name: str
    description: str
    input_schema: dict[str, Any] = Field(description="JSON schema of the arguments, an object")


class ToolErrorType(StrEnum):
    """Why a tool gave no result."""

    EXECUTION_ERROR = "execution_error"
    INVALID_ARGS = "invalid_args"
    TRANSPORT_ERROR = "transport_error"
    TOOL_NOT_FOUND = "tool_not_found"
    TIMEOUT = "timeout"


class ToolError(BaseModel):
    """A call that gave no result. `execution_error`: the tool itself raised."""

    model_config = ConfigDict(extra="forbid")

    error_type: ToolErrorType
    message: str


class ContentBlock(dict[str, Any]):
    """A block of content, whose fields are attributes too, as in the MCP library's own."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"this block of content has no {name!r}") from None


class ToolResult(BaseModel):
    """What a tool gave, in the forms that its callers read.

    Attributes:
        content: blocks for a model to read, as MCP has them: `{"type": "text", "text": …}`.
        structured_content: the value as an object; one that is none stands under `result`. None where there is no value.
        meta: notes of the tool's server, or None.
        data: the value itself, as plain data.
        is_error: the tool says that it failed, and `content` why.
    """

    content: list[Annotated[dict[str, Any], AfterValidator(ContentBlock)]] = Field(default_factory=list)
    structured_content: dict[str, Any] | None = None
    meta: dict[str, Any] | None = None
    data: Any = None
    is_error: bool = False


class ListToolsAction(Action):
    """Ask which tools there are."""

    type: Literal["list_tools"] = "list_tools"


class ListToolsObservation(Observation):
    """The tools that there are."""

    tools: list[Tool]


class CallToolAction(Action):
    """Call a tool by its name."""

    type: Literal["call_tool"] = "call_tool"
    tool_name: str
    arguments: dict[str, Any] = Field(default_factory=dict)


class CallToolObservation(Observation):
    """What a tool gave: a `result`, which in the environment's process is a `ToolResult`, or an `error`."""

    tool_name: str
    result: Any = None
    error: ToolError | None = None

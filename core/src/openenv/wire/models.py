"""The messages of version 1 and of HTTP as models, for programs that write and read them themselves."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class BaseMessage(BaseModel):
    """What messages have in common: they take no unknown fields."""

    model_config = ConfigDict(extra="forbid", validate_assignment=True)


class HealthStatus(StrEnum):
    """How a server is."""

    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"
    DEGRADED = "degraded"


class WSErrorCode(StrEnum):
    """The codes of version 1; `openenv.errors.codes()` has those of version 2 too, with their classes."""

    INVALID_JSON = "INVALID_JSON"
    UNKNOWN_TYPE = "UNKNOWN_TYPE"
    VALIDATION_ERROR = "VALIDATION_ERROR"
    EXECUTION_ERROR = "EXECUTION_ERROR"
    CAPACITY_REACHED = "CAPACITY_REACHED"
    FACTORY_ERROR = "FACTORY_ERROR"
    SESSION_ERROR = "SESSION_ERROR"


class HealthResponse(BaseMessage):
    """Reply to `GET /health`."""

    status: HealthStatus = HealthStatus.HEALTHY


class SchemaResponse(BaseMessage):
    """Reply to `GET /schema`: JSON schemas."""

    action: dict[str, Any]
    observation: dict[str, Any]
    state: dict[str, Any]
    reset_observation: dict[str, Any] | None = None


class ResetRequest(BaseModel):
    """Body of `POST /reset`; further fields are arguments of the environment's own."""

    model_config = ConfigDict(extra="allow")

    seed: int | None = Field(default=None, ge=0)
    episode_id: str | None = Field(default=None, max_length=255)


class StepRequest(BaseModel):
    """Body of `POST /step`."""

    model_config = ConfigDict(extra="allow")

    action: dict[str, Any]
    timeout_s: float | None = Field(default=None, gt=0)
    request_id: str | None = Field(default=None, max_length=255)


class ResetResponse(BaseModel):
    """Reply to `POST /reset` as published; this server's also says `terminated` and `truncated` where it knows."""

    model_config = ConfigDict(extra="forbid")

    observation: dict[str, Any]
    reward: float | None = None
    done: bool = False
    metadata: dict[str, Any] | None = None


class StepResponse(ResetResponse):
    """Reply to `POST /step`."""


class WSResetMessage(BaseMessage):
    """Asks for an episode."""

    type: Literal["reset"] = "reset"
    data: dict[str, Any] = Field(default_factory=dict)


class WSStepMessage(BaseMessage):
    """Asks for one action; `data` holds its fields."""

    type: Literal["step"] = "step"
    data: dict[str, Any]


class WSStateMessage(BaseMessage):
    """Asks where the episode stands."""

    type: Literal["state"] = "state"


class WSCloseMessage(BaseMessage):
    """Ends the session."""

    type: Literal["close"] = "close"


class WSMCPMessage(BaseMessage):
    """Holds a JSON-RPC request about tools."""

    type: Literal["mcp"] = "mcp"
    data: dict[str, Any]


WSIncomingMessage = Annotated[
    WSResetMessage | WSStepMessage | WSStateMessage | WSMCPMessage | WSCloseMessage,
    Field(discriminator="type"),
]


class _WSReply(BaseModel):
    model_config = ConfigDict(extra="forbid")

    data: dict[str, Any]


class WSObservationResponse(_WSReply):
    """Reply to a reset or a step."""

    type: Literal["observation"] = "observation"


class WSMCPResponse(_WSReply):
    """Reply to a request about tools; holds a JSON-RPC response."""

    type: str = "mcp"


class WSStateResponse(_WSReply):
    """Reply to a question for the state."""

    type: Literal["state"] = "state"


class WSErrorResponse(_WSReply):
    """Tells what went wrong: `message`, `code` and more."""

    type: Literal["error"] = "error"

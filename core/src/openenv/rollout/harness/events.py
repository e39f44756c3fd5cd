"""What happens in a turn of an agent's harness."""

from __future__ import annotations

import time
from enum import StrEnum
from typing import Any, Literal

from pydantic import BaseModel, Field


class HarnessEventType(StrEnum):
    """Kinds of events. `TURN_COMPLETE` ends a turn; its data has `response` and may have `done`."""

    LLM_REQUEST = "llm_request"
    LLM_RESPONSE = "llm_response"
    LLM_CHUNK = "llm_chunk"
    TOOL_CALL = "tool_call"
    TOOL_RESULT = "tool_result"
    TEXT_OUTPUT = "text_output"
    ERROR = "error"
    TURN_COMPLETE = "turn_complete"


class HarnessEvent(BaseModel):
    """One event; `timestamp` is in seconds since the epoch."""

    type: HarnessEventType
    timestamp: float = Field(default_factory=time.time)
    data: dict[str, Any] = Field(default_factory=dict)


class HarnessResponse(BaseModel):
    """What a turn gave: the agent's answer, all its events, and whether the agent says that it has finished."""

    response: str
    events: list[HarnessEvent] = Field(default_factory=list)
    done: bool = False


class HarnessClientMessage(BaseModel):
    """A message of a person to an agent, as a frame of a socket."""

    type: Literal["message"]
    content: str


def events_to_metadata(events: list[HarnessEvent]) -> list[dict[str, Any]]:
    """Return events as plain data, for an observation's metadata."""
    return [event.model_dump(mode="json") for event in events]

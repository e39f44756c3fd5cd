"""What a harness's run over a session gave."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .session import Message
from .tool_result import ToolTraceEntry


@dataclass
class RolloutEvent:
    """Something that happened in a run: `model_response` or `tool_call`, or what a harness of your own calls it."""

    type: str
    payload: dict[str, Any] = field(default_factory=dict)


@dataclass
class HarnessRolloutResult:
    """One run of a harness over a session.

    Attributes:
        messages: the whole conversation.
        tool_trace: every call of a tool.
        events: what happened, in order.
        done: whether the model or the environment ended the run, rather than a limit.
        metrics: numbers for the trainer's log.
        prompt_ids: the tokens that the model saw, turn after turn.
        completion_ids: the tokens that it sampled, turn after turn.
        logprobs: log-probability of each sampled token.
    """

    messages: list[Message] = field(default_factory=list)
    tool_trace: list[ToolTraceEntry] = field(default_factory=list)
    events: list[RolloutEvent] = field(default_factory=list)
    done: bool = False
    metrics: dict[str, Any] = field(default_factory=dict)
    prompt_ids: list[int] = field(default_factory=list)
    completion_ids: list[int] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)


@dataclass
class HarnessRunLimits:
    """How far a run may go.

    Attributes:
        max_turns: answers of the model. Default 10.
        max_tool_calls_per_turn: further ones of the same answer are left out. None: all are made.
        max_total_tool_calls: the run ends, truncated, at the first one beyond. None: no limit.
        sampling: what the model is sampled with, handed to every `ModelStep`.
    """

    max_turns: int = 10
    max_tool_calls_per_turn: int | None = None
    max_total_tool_calls: int | None = None
    sampling: dict[str, Any] = field(default_factory=dict)

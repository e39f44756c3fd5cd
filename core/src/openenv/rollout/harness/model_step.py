"""One answer of the model that is being trained."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

from ...contract.tools import Tool
from ...llm.response import LLMResponse
from .session import Message


@dataclass
class ModelStepResult:
    """What the model answered, and the tokens that the trainer needs.

    Attributes:
        response: the text and the tools it wants called.
        prompt_ids: the tokens that it saw.
        completion_ids: the tokens that it sampled.
        logprobs: log-probability of each sampled token.
    """

    response: LLMResponse
    prompt_ids: list[int] = field(default_factory=list)
    completion_ids: list[int] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)


class ModelStep(Protocol):
    """Asks the model for its next message. What it raises ends the rollout."""

    def __call__(self, messages: list[Message], tools: list[Tool], sampling: dict[str, Any]) -> ModelStepResult:
        """Return the model's answer to a conversation."""

"""Calls of a model as a trainer needs them: token by token."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from typing_extensions import TypedDict


class TraceEntry(TypedDict, total=False):
    """One call of a model by an agent that runs its own loop; a key is absent where its producer does not know it.

    Attributes:
        request: what was asked, as the model's endpoint takes it.
        response: what it answered.
        prompt_token_ids: the prompt as the engine read it; another rendering of `request` may differ from it.
        completion_token_ids: the tokens that were sampled.
        completion_tokens: the same as text, from engines that give no ids.
        per_token_logps: log-probability of each sampled token.
        loss_mask: 1 for a token to train on, 0 for context; over the prompt and the completion.
        reward: what the environment's verification gave; None where nothing was scored, which is not a reward of 0.
        metadata: what else there is to know.
    """

    request: dict[str, Any]
    response: dict[str, Any]
    prompt_token_ids: list[int]
    completion_token_ids: list[int]
    completion_tokens: list[str]
    per_token_logps: list[float]
    loss_mask: list[int]
    reward: float | None
    metadata: dict[str, Any]


class TrainingTurn(BaseModel):
    """One call of a model that can be trained on.

    Attributes:
        node_id: names the call within its trace.
        prompt_token_ids: at least one.
        completion_token_ids: the tokens that were sampled; none where the model said nothing.
        per_token_logps: log-probability of each sampled token: finite, at most 0.
        loss_mask: 1 for a token to train on, 0 for context; over prompt and completion, and 0 all over the prompt.
        request: what was asked.
        response: what was answered.
        metadata: what else there is to know.

    Raises:
        ValidationError: a field is not of its exact type, or the fields do not fit one another.
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    node_id: str = Field(min_length=1)
    prompt_token_ids: list[int]
    completion_token_ids: list[int]
    per_token_logps: list[float]
    loss_mask: list[int]
    request: dict[str, Any] = Field(default_factory=dict)
    response: dict[str, Any] = Field(default_factory=dict)
    metadata: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="after")
    def validate_capture(self) -> Self:
        """Return the turn. Raises `ValueError`, which names everything that does not fit, where it cannot be trained on."""
        if wrong := list(self._faults()):
            raise ValueError(f"this call cannot be trained on: {'; '.join(wrong)}")
        return self

    def _faults(self) -> Iterator[str]:
        prompt, completion, logps, mask = (
            self.prompt_token_ids,
            self.completion_token_ids,
            self.per_token_logps,
            self.loss_mask,
        )
        if not prompt:
            yield "there are no prompt_token_ids: have the engine return them"
        if any(token < 0 for token in (*prompt, *completion)):
            yield "token ids are not negative"
        if len(logps) != len(completion):
            yield f"{len(logps)} per_token_logps for {len(completion)} completion_token_ids"
        if any(not math.isfinite(logp) or logp > 0 for logp in logps):
            yield "per_token_logps are finite and at most 0"
        if len(mask) != len(prompt) + len(completion):
            yield f"a loss_mask of {len(mask)} for a prompt of {len(prompt)} and a completion of {len(completion)} tokens"
        if not set(mask) <= {0, 1}:
            yield "loss_mask is made of 0 and 1"
        if any(mask[: len(prompt)]):
            yield "loss_mask is 0 over the prompt, which no model said"


class TrainingTrace(BaseModel):
    """The calls of a model in one rollout, in order, each once.

    Raises:
        ValidationError: two turns have one `node_id`, or a turn is none.
    """

    model_config = ConfigDict(extra="forbid")

    schema_version: Literal[1] = 1
    turns: list[TrainingTurn]

    @model_validator(mode="after")
    def unique_calls(self) -> Self:
        """Return the trace. Raises `ValueError` where two turns have one `node_id`."""
        names = [turn.node_id for turn in self.turns]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"each call stands in a trace once, and these node_ids do not: {', '.join(twice)}")
        return self

    @classmethod
    def from_entries(cls, entries: list[dict[str, Any]]) -> Self:
        """Return what was captured as a trace; a call's `node_id` stands in its entry's `metadata`.

        Raises:
            KeyError: an entry has no tokens, no loss mask, or no `node_id`.
            ValidationError: an entry cannot be trained on.
        """
        return cls(turns=[_turn(entry) for entry in entries])

    def to_trace_entries(self) -> list[dict[str, Any]]:
        """Return the turns as entries, each with its `node_id` in `metadata`."""
        return [_entry(turn) for turn in self.turns]


CAPTURED = ("prompt_token_ids", "completion_token_ids", "per_token_logps", "loss_mask")
TOLD = ("request", "response")


def _turn(entry: dict[str, Any]) -> TrainingTurn:
    metadata = entry["metadata"]
    told = {name: entry[name] for name in TOLD if name in entry}
    captured = {name: entry[name] for name in CAPTURED}
    return TrainingTurn(node_id=metadata["node_id"], metadata=metadata, **captured, **told)


def _entry(turn: TrainingTurn) -> dict[str, Any]:
    entry = turn.model_dump(include={*CAPTURED, *TOLD})
    return {**entry, "metadata": {**turn.metadata, "node_id": turn.node_id}}

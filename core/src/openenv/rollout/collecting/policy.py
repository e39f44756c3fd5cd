"""Who plays the episodes that are collected."""

from __future__ import annotations

import asyncio
from random import Random
from typing import Any, Protocol

from ...contract.tools import Tool
from ...llm.client import LLMClient
from ...llm.response import LLMResponse, ToolCall
from ..harness.model_step import ModelStep, ModelStepResult
from ..harness.session import Message
from .session import CollectedSession


class Policy(Protocol):
    """Plays episodes, one after another."""

    def begin(self, session: CollectedSession, seed: int) -> ModelStep:
        """Return what answers in one episode.

        Args:
            session: the episode.
            seed: decides every choice that the policy leaves to chance.
        """


class Script(Protocol):
    """Chooses without a model."""

    def __call__(self, observation: dict[str, Any], tools: list[Tool], chance: Random) -> tuple[str, dict[str, Any]] | None:
        """Return the tool to call and its arguments, or None where there is nothing to do."""


class ScriptedPolicy:
    """Plays by a script: the same choices for the same seed and observations."""

    def __init__(self, script: Script) -> None:
        self._script = script

    def begin(self, session: CollectedSession, seed: int) -> ModelStep:
        """See `Policy.begin`."""
        chance = Random(seed)

        def step(messages: list[Message], tools: list[Tool], sampling: dict[str, Any]) -> ModelStepResult:
            chosen = self._script(session.last.observation, tools, chance)
            calls = [] if chosen is None else [ToolCall(f"scripted-{len(messages)}", *chosen)]
            return ModelStepResult(LLMResponse("", calls))

        return step


class ModelPolicy:
    """Plays by a language model. Close it when done; not for use inside a running event loop.

    Args:
        client: of the model's endpoint.
    """

    def __init__(self, client: LLMClient) -> None:
        self._client = client
        self._runner = asyncio.Runner()

    def begin(self, session: CollectedSession, seed: int) -> ModelStep:
        """See `Policy.begin`; a model's own chance is its endpoint's, which no seed decides."""

        def step(messages: list[Message], tools: list[Tool], sampling: dict[str, Any]) -> ModelStepResult:
            told = [tool.model_dump() for tool in tools]
            return ModelStepResult(self._runner.run(self._client.complete_with_tools(messages, told, **sampling)))

        return step

    def close(self) -> None:
        """Let go of the connections to the endpoint."""
        self._runner.run(self._client.aclose())
        self._runner.close()

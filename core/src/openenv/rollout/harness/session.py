"""A session: one episode as a harness meets it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, runtime_checkable

from typing_extensions import TypeVar

from ...contract.tools import Tool
from .tool_result import ToolResult
from .training import TraceEntry, TrainingTrace

Message = dict[str, Any]
"""One message of a conversation, in the form of OpenAI's chat API: `role`, `content`, and what else belongs to the role."""


@dataclass
class VerifyResult:
    """What an episode came to.

    Attributes:
        env_reward: the reward of the whole episode, None where nothing could be scored.
        done: whether the environment says that the episode has ended.
        metrics: numbers for the trainer's log.
        artifacts: what else is worth keeping.
    """

    env_reward: float | None = None
    done: bool = False
    metrics: dict[str, Any] = field(default_factory=dict)
    artifacts: dict[str, Any] = field(default_factory=dict)


class ResourceSession(ABC):
    """One episode: how the conversation begins, which tools there are, and what the episode came to.

    Whatever goes wrong in it is raised; a tool that refuses what the model asked may return a `ToolResult` with an `error`.
    """

    @abstractmethod
    def initial_messages(self) -> list[Message]:
        """Return the messages that the model sees first."""

    @abstractmethod
    def list_tools(self) -> list[Tool]:
        """Return the tools that the model may call."""

    @abstractmethod
    def call_tool(self, name: str, arguments: dict[str, Any]) -> ToolResult:
        """Call a tool."""

    @abstractmethod
    def verify(self, transcript: list[Message], final_state: Any | None = None) -> VerifyResult:
        """Score the episode.

        Args:
            transcript: all messages of the conversation.
            final_state: what the harness tells of its run.
        """

    @abstractmethod
    def close(self) -> None:
        """Let go of what the session holds."""


SessionT = TypeVar("SessionT", bound=ResourceSession, default=ResourceSession)


class ResourceSessionFactory(ABC, Generic[SessionT]):
    """Opens a session for each rollout; inherit as `ResourceSessionFactory[MySession]`."""

    @abstractmethod
    def create(self, task: Any, seed: int | None = None, episode_id: str | None = None) -> SessionT:
        """Return a fresh session.

        Args:
            task: what is to be done, as the trainer has it: a prompt, or a row of its dataset.
            seed: decides every random choice of the episode; None for a fresh one.
            episode_id: a name for the episode.
        """


@runtime_checkable
class LoopOwningSession(Protocol):
    """What a session has beside, where an agent runs a loop of its own and is read out afterwards."""

    def wait_for_completion(self, timeout_s: float | None = ...) -> int:
        """Wait until the agent has ended and return its exit code."""

    def fetch_proxy_trace(self) -> list[TraceEntry]:
        """Return the calls of the model that the agent made, in order."""


@runtime_checkable
class TrainableSession(Protocol):
    """A session whose agent runs a loop of its own, and whose calls of the model can be trained on."""

    def wait_for_completion(self, timeout_s: float | None = ...) -> int:
        """Wait until the agent has ended and return its exit code."""

    def fetch_training_trace(self) -> TrainingTrace:
        """Return the calls of the model that the agent made, checked, each with its loss mask."""

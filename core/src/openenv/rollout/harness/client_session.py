"""An environment behind a client, as a session."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...contract.result import StepResult
from ...contract.tools import RESERVED_TOOL_NAMES, Tool
from .session import Message, ResourceSession, VerifyResult
from .tool_result import ToolResult

ToolResultBuilder = Callable[[str, dict[str, Any], StepResult[Any], Any], ToolResult]
VerifyBuilder = Callable[[list[Message], Any | None, StepResult[Any] | None, Any], VerifyResult]


class StepEnvSessionAdapter(ResourceSession):
    """A session in which each call of a tool is one step of an environment. Resets the environment at once.

    Args:
        client: its client: one with `.sync()`, which is then used, or one that blocks. `state()` is asked for where it has it.
        task: handed to the builders.
        seed: of the reset.
        episode_id: of the reset.
        tool_specs: the tools that the model may call.
        action_builder: makes an action of a tool's name and arguments.
        initial_messages_builder: makes the first messages of the reset's result and the task.
        tool_result_builder: makes what the model is told of the name, the arguments, the step's result and the state;
            None for the observation with its reward and end.
        verify_builder: makes the score of the transcript, the final state, the last step's result (None before the
            first) and the state; None for the last step's reward.
        reset_kwargs: what else the reset takes; these win over `seed` and `episode_id`.

    Raises:
        ValueError: a tool has a reserved name: `reset`, `step`, `state`, `close`.
        Exception: what the client's reset raises; the client is closed then.
    """

    def __init__(
        self,
        client: Any,
        *,
        task: Any = None,
        seed: int | None = None,
        episode_id: str | None = None,
        tool_specs: list[Tool],
        action_builder: Callable[[str, dict[str, Any]], Any],
        initial_messages_builder: Callable[[StepResult[Any], Any], list[Message]],
        tool_result_builder: ToolResultBuilder | None = None,
        verify_builder: VerifyBuilder | None = None,
        reset_kwargs: dict[str, Any] | None = None,
    ) -> None:
        self._tools = {tool.name: tool for tool in tool_specs}
        if taken := sorted(RESERVED_TOOL_NAMES & self._tools.keys()):
            raise ValueError(f"no tool may be named {', '.join(taken)}: these are for who controls the episode")
        self._client = client.sync() if hasattr(client, "sync") else client
        self._task = task
        self._action = action_builder
        self._first_messages = initial_messages_builder
        self._tool_result = tool_result_builder or _told
        self._verify = verify_builder or _scored
        self._last: StepResult[Any] | None = None
        self._closed = False
        options = {"seed": seed, "episode_id": episode_id}
        given = {name: value for name, value in options.items() if value is not None}
        try:
            self._first: StepResult[Any] = self._client.reset(**{**given, **(reset_kwargs or {})})
            self._state = self._asked_state()
        except BaseException:
            self.close()
            raise

    def initial_messages(self) -> list[Message]:
        """See `ResourceSession.initial_messages`."""
        return self._first_messages(self._first, self._task)

    def list_tools(self) -> list[Tool]:
        """See `ResourceSession.list_tools`."""
        return list(self._tools.values())

    def call_tool(self, name: str, arguments: dict[str, Any]) -> ToolResult:
        """Do the step that the tool stands for.

        Raises:
            KeyError: there is no such tool.
            Exception: what the client raises; there is no result then, and no reward.
        """
        if name not in self._tools:
            raise KeyError(f"there is no tool {name!r}; there are {', '.join(sorted(self._tools)) or 'none'}")
        result: StepResult[Any] = self._client.step(self._action(name, arguments))
        self._last, self._state = result, self._asked_state()
        return self._tool_result(name, arguments, result, self._state)

    def verify(self, transcript: list[Message], final_state: Any | None = None) -> VerifyResult:
        """See `ResourceSession.verify`."""
        return self._verify(transcript, final_state, self._last, self._state)

    def close(self) -> None:
        """Close the client. Twice does no harm."""
        if not self._closed:
            self._closed = True
            self._client.close()

    def _asked_state(self) -> Any:
        state = getattr(self._client, "state", None)
        return state() if callable(state) else None


def _told(name: str, arguments: dict[str, Any], result: StepResult[Any], state: Any) -> ToolResult:
    seen = {"observation": result.observation, "reward": result.reward, "done": result.done}
    data = {"tool_name": name, "arguments": dict(arguments), **seen}
    return ToolResult(data, done=result.done, metadata={"reward": result.reward, "state": state})


def _scored(transcript: list[Message], final_state: Any | None, last: StepResult[Any] | None, state: Any) -> VerifyResult:
    reward, done = (None, False) if last is None else (last.reward, last.done)
    return VerifyResult(reward, done, artifacts={"final_state": state, "transcript_length": len(transcript)})

"""One episode that is collected, as a session of a harness."""

from __future__ import annotations

import json
from typing import Any

from ...client.generic import GenericEnvClient
from ...contract.result import StepResult
from ...errors import ExecutionError, InvalidActionError
from ..harness.client_session import StepEnvSessionAdapter
from ..harness.session import Message, VerifyResult
from ..harness.tool_result import ToolResult, plain
from .served import ACT, ServedEnvironment, is_refusal

Result = StepResult[dict[str, Any]]


class CollectedSession(StepEnvSessionAdapter):
    """A session at a server that keeps what each step gave. What the environment refuses is told to the model, not raised.

    Args:
        environment: where it is played.
        seed: of the reset; None gives none.
        episode_id: of the reset.
        timeout_s: longest wait for one answer of the server.

    Raises:
        OpenEnvError: the server was not reached, or the reset failed.

    Attributes:
        last: what the last step gave, or the reset.
        rewards: of each step that gave one.
        refused: how many calls were refused.
    """

    def __init__(self, environment: ServedEnvironment, seed: int | None, episode_id: str, timeout_s: float) -> None:
        self.rewards: list[float] = []
        self.refused = 0
        self._environment = environment
        super().__init__(
            GenericEnvClient(base_url=environment.url, message_timeout_s=timeout_s),
            seed=seed,
            episode_id=episode_id,
            tool_specs=environment.tools,
            action_builder=_action,
            initial_messages_builder=_first_messages,
            tool_result_builder=self._kept,
            verify_builder=self._scored,
            reset_kwargs=environment.reset_options,
        )
        self.last: Result = self._first

    def call_tool(self, name: str, arguments: dict[str, Any]) -> ToolResult:
        """Do the step that the tool stands for; what is refused comes back as an error for the model to read."""
        try:
            return super().call_tool(name, arguments)
        except KeyError as error:
            return self._refused(str(error.args[0]))
        except (InvalidActionError, ExecutionError) as error:
            if not is_refusal(error):
                raise
            return self._refused(error.message)

    def _refused(self, why: str) -> ToolResult:
        self.refused += 1
        return ToolResult(error=f"refused: {why}")

    def _kept(self, name: str, arguments: dict[str, Any], result: Result, state: Any) -> ToolResult:
        self.last = result
        if result.reward is not None:
            self.rewards.append(float(result.reward))
        data = {"observation": _seen(result), "reward": result.reward, "done": result.done}
        return ToolResult(data, done=result.done, metadata={"reward": result.reward})

    def _scored(self, transcript: list[Message], final_state: Any, last: Result | None, state: Any) -> VerifyResult:
        reward = None
        if self.rewards and self._environment.adds_rewards:
            reward = sum(self.rewards)
        elif last is not None and last.reward is not None:
            reward = float(last.reward)
        told = {"final_state": state, "transcript_length": len(transcript)}
        metrics = {"step_count": state.get("step_count")} if isinstance(state, dict) else {}
        return VerifyResult(reward, self.last.done, metrics=metrics, artifacts=told)


def _action(name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    return arguments if name == ACT else {"type": "call_tool", "tool_name": name, "arguments": arguments}


def _first_messages(result: Result, task: Any) -> list[Message]:
    return [{"role": "user", "content": json.dumps({"observation": _seen(result)}, sort_keys=True, default=plain)}]


def _seen(result: Result) -> dict[str, Any]:
    """Return an observation without notes where there are none."""
    return {name: value for name, value in result.observation.items() if name != "metadata" or value}

"""The plain loop of a model and tools."""

from __future__ import annotations

from typing import Any

from ...llm.response import LLMResponse, ToolCall
from .adapter import HarnessAdapter
from .model_step import ModelStep
from .rollout_result import HarnessRolloutResult, HarnessRunLimits, RolloutEvent
from .session import ResourceSession
from .tool_result import ToolResult, ToolTraceEntry


class MCPHarnessAdapter(HarnessAdapter):
    """Asks the model, calls the tools it wants, tells it what they gave, and so on.

    The run is done when the model wants no more tools or a tool ends the episode, and is not where a limit ends it. What a
    tool or the model raises is raised; a `ToolResult` with an `error` and no value is told to the model.
    """

    def run_white_box(
        self, model_step: ModelStep, session: ResourceSession, limits: HarnessRunLimits | None = None
    ) -> HarnessRolloutResult:
        """See `HarnessAdapter.run_white_box`.

        `metrics` has `turns` and `tool_calls`, and `truncated` where `max_total_tool_calls` ended the run. Calls beyond
        `max_tool_calls_per_turn` are not made, and no message answers them.
        """
        run = _Run(session, limits or HarnessRunLimits())
        while not run.over and run.turns < run.limits.max_turns:
            run.play(model_step)
        counted = {"turns": run.turns, "tool_calls": len(run.result.tool_trace)}
        run.result.metrics = {**counted, **run.result.metrics}
        return run.result

    def run_black_box(self, session: ResourceSession, limits: HarnessRunLimits | None = None) -> HarnessRolloutResult:
        """Raise `NotImplementedError`: this harness has no model of its own."""
        raise NotImplementedError(f"{type(self).__name__} plays with the trainer's model: call run_white_box")


class _Run:
    """One run, as it goes."""

    def __init__(self, session: ResourceSession, limits: HarnessRunLimits) -> None:
        self.limits = limits
        self.result = HarnessRolloutResult(messages=list(session.initial_messages()))
        self.turns = 0
        self.over = False
        self._session = session
        self._tools = session.list_tools()

    def play(self, model_step: ModelStep) -> None:
        """Have the model answer once, and call what it wants."""
        result = self.result
        step = model_step(result.messages, self._tools, self.limits.sampling)
        result.prompt_ids += step.prompt_ids
        result.completion_ids += step.completion_ids
        result.logprobs += step.logprobs
        result.messages.append(step.response.to_message_dict())
        result.events.append(_answered(self.turns, step.response))
        self.turns += 1
        calls = step.response.tool_calls
        if not calls:
            self._end(done=True)
        for call in calls[: self.limits.max_tool_calls_per_turn]:
            if not self.over:
                self._call(call)

    def _call(self, call: ToolCall) -> None:
        result, most = self.result, self.limits.max_total_tool_calls
        if most is not None and len(result.tool_trace) >= most:
            result.metrics["truncated"] = True
            self._end(done=False)
            return
        given = self._session.call_tool(call.name, call.args)
        result.tool_trace.append(ToolTraceEntry(call.name, call.args, given))
        result.messages.append({"role": "tool", "tool_call_id": call.id, "name": call.name, "content": given.text()})
        result.events.append(_called(call, given))
        if given.done:
            self._end(done=True)

    def _end(self, *, done: bool) -> None:
        self.over, self.result.done = True, done


def _answered(turn: int, response: LLMResponse) -> RolloutEvent:
    calls: list[dict[str, Any]] = [{"id": call.id, "name": call.name, "arguments": call.args} for call in response.tool_calls]
    return RolloutEvent("model_response", {"turn": turn, "content": response.content, "tool_calls": calls})


def _called(call: ToolCall, result: ToolResult) -> RolloutEvent:
    return RolloutEvent("tool_call", {"tool_name": call.name, "arguments": call.args, "done": result.done})

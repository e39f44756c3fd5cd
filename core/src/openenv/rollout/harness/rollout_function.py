"""A harness and sessions as the function that trainers call for rollouts."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import Any

from .adapter import HarnessAdapter
from .model_step import ModelStep
from .rollout_result import HarnessRolloutResult, HarnessRunLimits
from .session import ResourceSession


def build_harness_rollout_func(
    *,
    session_factory: Any,
    harness_adapter: HarnessAdapter,
    model_step_builder: Callable[[Any, ResourceSession], ModelStep],
    limits: HarnessRunLimits | None = None,
    reward_key: str = "env_reward",
) -> Callable[[list[Any], Any], dict[str, list[Any]]]:
    """Return a function that plays a session for each prompt, one after another, and returns columns for the trainer.

    The columns are `prompt_ids`, `completion_ids`, `logprobs`, the rewards under `reward_key`, and `verify_metrics`. Whatever
    happens, a session is closed.

    Args:
        session_factory: a `ResourceSessionFactory`; each prompt is the task of one session.
        harness_adapter: plays it.
        model_step_builder: makes, of the trainer and a session, what asks the model.
        limits: of each run; None for the default ones.
        reward_key: the name of the column of rewards.

    Raises (the returned function):
        ValueError: a session has no reward; what fails is not worth 0.
        Exception: whatever a session, the harness or the model raises.
    """

    def rollout(prompts: list[Any], trainer: Any) -> dict[str, list[Any]]:
        columns: dict[str, list[Any]] = {
            name: [] for name in ("prompt_ids", "completion_ids", "logprobs", reward_key, "verify_metrics")
        }
        for prompt in prompts:
            with closing(session_factory.create(task=prompt)) as session:
                step = model_step_builder(trainer, session)
                run = harness_adapter.run_white_box(model_step=step, session=session, limits=limits)
                verified = session.verify(transcript=run.messages, final_state=_told(run))
            if verified.env_reward is None:
                raise ValueError(f"the session for {prompt!r} has no reward: verify() must score what is trained on")
            row = (run.prompt_ids, run.completion_ids, run.logprobs, float(verified.env_reward), verified.metrics)
            for column, value in zip(columns.values(), row, strict=True):
                column.append(value)
        return columns

    return rollout


def _told(run: HarnessRolloutResult) -> dict[str, Any]:
    """Return what a session is told of a run that it is to score."""
    calls = [{**vars(entry), "result": dict(vars(entry.result))} for entry in run.tool_trace]
    return {
        "done": run.done,
        "metrics": run.metrics,
        "events": [dict(vars(event)) for event in run.events],
        "tool_trace": calls,
    }

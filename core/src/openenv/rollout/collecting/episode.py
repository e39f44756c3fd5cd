"""One episode of a data set."""

from __future__ import annotations

import math
from contextlib import closing
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from pydantic_core import to_json

from ...errors import OpenEnvError
from ..harness.rollout_result import HarnessRunLimits
from ..harness.session import Message
from ..harness.white_box import MCPHarnessAdapter
from .policy import Policy
from .served import ServedEnvironment
from .session import CollectedSession


@dataclass(frozen=True)
class Episode:
    """One line of `results.jsonl`: the published fields, and those of this project.

    Attributes:
        episode_id: its name in the data set, which the reset was given too.
        messages: the whole conversation, in the form of OpenAI's chat API, without the system prompt.
        reward: what the episode came to.
        done: whether the environment ended it.
        tool_trace: each call of a tool, with what it gave: observation, reward, done.
        metrics: `turns`, `tool_calls`, and `refused` calls.
        verify_metrics, artifacts: what scoring told beside the reward.
        task, extra: None and empty; published readers look for them.
        prompt: what the model saw before its first answer, the system prompt too.
        seed: of the reset; None where the environment takes none.
        terminated, truncated: how it ended, None where the environment does not say. Truncated is also what another ended.
        ended_by: `environment`, `policy` (it wanted no more tools) or `limit` (of turns).
        env, provider, model: what was played, and who played it.
    """

    episode_id: str
    messages: list[Message]
    reward: float
    done: bool
    tool_trace: list[dict[str, Any]]
    metrics: dict[str, Any]
    verify_metrics: dict[str, Any]
    artifacts: dict[str, Any]
    prompt: list[Message]
    seed: int | None
    terminated: bool | None
    truncated: bool | None
    ended_by: Literal["environment", "policy", "limit"]
    env: str
    provider: str
    model: str | None
    task: Any = None
    extra: dict[str, Any] = field(default_factory=dict)

    def line(self) -> bytes:
        """Return it as a line of JSON, in UTF-8."""
        return to_json(asdict(self), inf_nan_mode="null", fallback=str) + b"\n"


@dataclass(frozen=True)
class EpisodePlan:
    """How the episodes of a data set are played.

    Attributes:
        env, provider, model, system_prompt: as told in each episode.
        max_turns: answers of the policy, after which an episode is left.
        timeout_s: longest wait for one answer of the server.
    """

    env: str
    provider: str
    model: str | None
    system_prompt: str | None
    max_turns: int
    timeout_s: float

    def play(self, environment: ServedEnvironment, policy: Policy, episode_id: str, seed: int) -> Episode:
        """Play one episode.

        Raises:
            ModelError: the model gave no usable answer, or never did a step that was scored.
            OpenEnvError: the session failed.
        """
        given = seed if environment.takes_seed else None
        with closing(CollectedSession(environment, given, episode_id, self.timeout_s)) as session:
            prompt = session.initial_messages()
            run = MCPHarnessAdapter().run_white_box(policy.begin(session, seed), session, HarnessRunLimits(self.max_turns))
            verified = session.verify(run.messages)
            last = session.last
        if verified.env_reward is None or not math.isfinite(verified.env_reward):
            raise OpenEnvError(f"there is no reward after {run.metrics['turns']} of at most {self.max_turns} turns")
        ended = last.done
        return Episode(
            episode_id=episode_id,
            messages=run.messages,
            reward=verified.env_reward,
            done=ended,
            tool_trace=[asdict(entry) for entry in run.tool_trace],
            metrics={**run.metrics, "refused": session.refused},
            verify_metrics=verified.metrics,
            artifacts=verified.artifacts,
            prompt=[*([{"role": "system", "content": self.system_prompt}] if self.system_prompt else []), *prompt],
            seed=given,
            terminated=last.terminated if ended else False,
            truncated=last.truncated if ended else True,
            ended_by="environment" if ended else "policy" if run.done else "limit",
            env=self.env,
            provider=self.provider,
            model=self.model,
        )

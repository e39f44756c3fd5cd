"""What a client's `reset` and `step` return."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

ObsT = TypeVar("ObsT")


@dataclass(slots=True)
class StepResult(Generic[ObsT]):
    """One answer of an environment.

    Attributes:
        observation: what the agent sees.
        reward: reward of the action; None after a reset or where the environment gave none.
        done: whether the episode has ended.
        metadata: the environment's notes, or None.
        terminated: the task itself ended; None where the environment did not say.
        truncated: a limit ended the episode; None where the environment did not say.
        final: the last result of the episode before, where a lane with `autoreset="same_step"` began the next one; else None.
    """

    observation: ObsT
    reward: float | None = None
    done: bool = False
    metadata: dict[str, Any] | None = None
    terminated: bool | None = field(default=None, kw_only=True)
    truncated: bool | None = field(default=None, kw_only=True)
    final: StepResult[ObsT] | None = field(default=None, kw_only=True)

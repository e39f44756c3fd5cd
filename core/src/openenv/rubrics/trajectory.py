"""Rubrics that score an episode once it is over."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Awaitable
from typing import Any

from ..contract.rubric import Rubric
from ..contract.settling import Steps, settle

Trajectory = list[tuple[Any, Any]]
"""Pairs of action and observation, first to last."""


class TrajectoryRubric(Rubric):
    """Keeps an episode's steps, gives each the same small reward, and scores the whole with the last one.

    The last step is the one whose observation is `done`. `reset` forgets the steps. Observations are kept, not copied.

    Args:
        intermediate_reward: what every step before the last gives.
    """

    def __init__(self, intermediate_reward: float = 0.0) -> None:
        super().__init__()
        self.intermediate_reward = intermediate_reward
        self._trajectory: Trajectory = []

    @abstractmethod
    def score_trajectory(self, trajectory: Trajectory) -> float | Awaitable[float]:
        """Return the score of a whole episode; may be `async def`."""

    @abstractmethod
    def compute_step_rewards(self) -> list[float] | Awaitable[list[float]]:
        """Return what each step of the episode is worth in hindsight, one number a step."""

    def forward(self, action: Any, observation: Any) -> float | Awaitable[float]:
        self._trajectory.append((action, observation))
        if getattr(observation, "done", False):
            return self.score_trajectory(self.trajectory)
        return self.intermediate_reward

    @property
    def trajectory(self) -> Trajectory:
        """The steps since the last reset: a list of its own, of the very actions and observations."""
        return list(self._trajectory)

    def reset(self) -> None:
        self._trajectory = []
        super().reset()

    def state_dict(self) -> dict[str, Any]:
        return {"intermediate_reward": self.intermediate_reward, **super().state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        super().load_state_dict(state)
        self.intermediate_reward = state.get("intermediate_reward", self.intermediate_reward)


class ExponentialDiscountingTrajectoryRubric(TrajectoryRubric):
    """A trajectory rubric that spreads the final score over the steps: step t of T is worth gamma^(T-1-t) of it.

    Args:
        gamma: from 0, which leaves all to the last step, to 1, which gives every step the whole.

    Raises:
        ValueError: gamma is outside [0, 1].
    """

    def __init__(self, gamma: float = 0.99, intermediate_reward: float = 0.0) -> None:
        super().__init__(intermediate_reward)
        self.gamma = _checked(gamma)

    def compute_step_rewards(self) -> list[float] | Awaitable[list[float]]:
        """Return the final score as each step's discounted share of it; awaitable where `score_trajectory` is."""
        return settle(self._discounted())

    def _discounted(self) -> Steps[list[float]]:
        steps = self.trajectory
        if not steps:
            return []
        final = yield self.score_trajectory(steps)
        return [self.gamma ** (len(steps) - 1 - place) * final for place in range(len(steps))]

    def state_dict(self) -> dict[str, Any]:
        return {**super().state_dict(), "gamma": self.gamma}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        gamma = _checked(state.get("gamma", self.gamma))
        super().load_state_dict(state)
        self.gamma = gamma


def _checked(gamma: float) -> float:
    if not 0.0 <= gamma <= 1.0:
        raise ValueError(f"gamma must be in [0, 1], not {gamma}")
    return gamma

"""Environments of Gymnasium with spaces of every kind, and with one that has no typed field."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

EVERY_KIND = spaces.Dict(
    {
        "pick": spaces.Discrete(3, start=-1),
        "pair": spaces.Tuple([spaces.MultiDiscrete([2, 3]), spaces.MultiBinary(4)]),
        "inner": spaces.Dict({"force": spaces.Box(-1, 1, (2, 2), np.float32), "word": spaces.Text(5)}),
        "limits": spaces.Box(np.array([0.1, -np.inf], np.float32), np.array([0.7, 2], np.float32)),
        "pixels": spaces.Box(0, 255, (3, 4, 3), np.uint8),
        "share": spaces.Box(0, 1, (), np.float32),
        "grid": spaces.MultiDiscrete(np.array([[2, 3], [4, 5]])),
    }
)


class Mirror(gymnasium.Env[Any, Any]):
    """Shows the action that was done; an episode is one step, and steps are worth `worth`."""

    action_space = observation_space = EVERY_KIND

    def __init__(self, worth: float = 0.5) -> None:
        self.worth = worth

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.observation_space.seed(seed)
        return self.observation_space.sample(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        return action, self.worth, False, True, {"count": np.int64(3), "object": object()}


class Endless(Mirror):
    """Takes actions that cannot be typed."""

    action_space = spaces.Sequence(spaces.Discrete(2))  # type: ignore[assignment]


class Lying(Mirror):
    """Shows what its space does not hold."""

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        return {**action, "pick": 7}, 0.0, False, False, {}


class Reusing(gymnasium.Env[Any, Any]):
    """Counts to 2 in one array, which it shows each time."""

    action_space = spaces.Discrete(1)
    observation_space = spaces.Dict({"count": spaces.Box(0, 9, (2,), np.int64)})

    def __init__(self) -> None:
        self._count = np.zeros(2, np.int64)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self._count[:] = 0
        return {"count": self._count}, {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self._count += 1
        return {"count": self._count}, 1.0, bool(self._count[0] == 2), False, {}


for cls in (Mirror, Endless, Lying):
    gymnasium.register(f"{cls.__name__}-v0", f"mirrors:{cls.__name__}")

"""Gymnasium's environments behind this package's contract."""

from __future__ import annotations

import base64
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

from openenv import GenericEnvClient
from openenv.adapters.gymnasium import environment_of, sampled_actions
from openenv.errors import ExecutionError, InvalidActionError, UsageError
from openenv.testing import EnvironmentContract


def cart_pole() -> gymnasium.Env[Any, Any]:
    return gymnasium.make("CartPole-v1", render_mode="rgb_array")


class Mirror(gymnasium.Env[Any, Any]):
    """Shows the action that was done, in a space of every kind."""

    action_space = spaces.Dict(
        {
            "pick": spaces.Discrete(3, start=-1),
            "pair": spaces.Tuple([spaces.MultiDiscrete([2, 3]), spaces.MultiBinary(4)]),
            "inner": spaces.Dict({"force": spaces.Box(-1, 1, (2, 2), np.float32), "word": spaces.Text(5)}),
        }
    )
    observation_space = action_space

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        return self.observation_space.sample(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        return action, 0.5, False, True, {"count": np.int64(3), "object": object()}


class TestCartPole(EnvironmentContract):
    environment = environment_of(cart_pole)


def test_the_same_seed_and_actions_give_what_gymnasium_gives() -> None:
    own = cart_pole()
    with GenericEnvClient.from_environment(environment_of(cart_pole)).sync() as env:
        seen, result = own.reset(seed=3)[0], env.reset(seed=3)
        while not result.done:
            assert np.array_equal(result.observation["observed"], seen)
            seen, reward, terminated, truncated, _ = own.step(1)
            result = env.step({"action": 1})
            assert (result.reward, result.terminated, result.truncated) == (reward, terminated, truncated)
        assert base64.b64decode(env.render()["image/png"]).startswith(b"\x89PNG")
    own.close()


def test_every_kind_of_space_goes_there_and_back() -> None:
    with GenericEnvClient.from_environment(environment_of(Mirror)).sync() as env:
        for action in sampled_actions(Mirror(), 5):
            env.reset()
            result = env.step(action)
            shown = {key: result.observation[key] for key in ("pick", "inner", "pair")}
            assert shown["pick"] == action["action"]["pick"]
            assert shown["inner"]["word"] == action["action"]["inner"]["word"]
            assert np.asarray(shown["inner"]["force"]).tolist() == action["action"]["inner"]["force"]
            assert [np.asarray(part).tolist() for part in shown["pair"]] == action["action"]["pair"]
            assert (result.truncated, result.metadata) == (True, {"count": 3})
        env.reset()
        with pytest.raises(InvalidActionError):
            env.step({"action": {**action["action"], "pick": 2}})
        with pytest.raises(ExecutionError, match="is not in"):
            env.step({"action": {**action["action"], "pair": [[0, 3], [0, 0, 0, 0]]}})
        assert env.state()["step_count"] == 0


def test_a_space_without_a_type_is_named() -> None:
    class Endless(Mirror):
        action_space = spaces.Sequence(spaces.Discrete(2))  # type: ignore[assignment]

    with pytest.raises(UsageError, match="Sequence is a space without a typed field"):
        environment_of(Endless)

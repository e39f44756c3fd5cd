"""Gymnasium's environments behind this package's contract."""

from __future__ import annotations

import base64
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from mirrors import Endless, Mirror, Reusing

from openenv import GenericEnvClient, StepResult
from openenv.adapters.gymnasium import environment_of, sampled_actions
from openenv.errors import ExecutionError, InvalidActionError, UsageError
from openenv.testing import EnvironmentContract


def cart_pole() -> gymnasium.Env[Any, Any]:
    return gymnasium.make("CartPole-v1", render_mode="rgb_array")


class Wide(Mirror):
    """Takes actions with more bounds than a type holds."""

    action_space = spaces.MultiDiscrete([2, 3] * 5)  # type: ignore[assignment]
    observation_space = action_space  # type: ignore[assignment]


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
        for wrong in ({"pick": 2}, {"pair": [[0, 3], [0, 0, 0, 0]]}, {"pixels": 7}):
            with pytest.raises(InvalidActionError):
                env.step({"action": {**action["action"], **wrong}})
        assert env.state()["step_count"] == 0


def test_what_the_type_lets_through_and_the_space_does_not_is_refused() -> None:
    with GenericEnvClient.from_environment(environment_of(Wide)).sync() as env:
        env.reset()
        with pytest.raises(InvalidActionError, match="2 or less"):
            env.step({"action": [3] * 10})
        with pytest.raises(ExecutionError, match="is not in"):
            env.step({"action": [2] * 10})
        assert env.state()["step_count"] == 0
        assert env.step({"action": [1] * 10}).truncated


def test_a_space_without_a_type_is_named() -> None:
    with pytest.raises(UsageError, match="Sequence is a space without a typed field"):
        environment_of(Endless)


def test_what_was_seen_stays_though_the_environment_shows_one_array_again_and_again() -> None:
    environment: Any = environment_of(Reusing)
    action, own = environment.__orig_bases__[0].__args__[0], environment()
    seen = [own.reset(), own.step(action(action=0)), own.step(action(action=0))]
    assert [one.count.tolist() for one in seen] == [[0, 0], [1, 1], [2, 2]]
    with GenericEnvClient.from_environment(environment).sync().lanes(1, autoreset="same_step") as envs:
        envs.reset()
        envs.step([{"action": 0}])
        (ended,) = envs.step([{"action": 0}])
        assert isinstance(ended, StepResult)
        assert ended.observation["count"].tolist() == [0, 0]
        assert ended.final is not None
        assert ended.final.observation["count"].tolist() == [2, 2]

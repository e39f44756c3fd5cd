"""The models and what an environment's class tells of itself."""

from __future__ import annotations

import dataclasses
import functools
import pickle
from typing import Any, Generic, TypeVar

import pytest
from counting import Count, Counter, CountState, Total
from pydantic import ValidationError

from openenv import Action, CompositeTransform, EnvClient, Environment, Observation, State, StepResult, Transform
from openenv.contract.generics import models
from openenv.errors import FactoryError, OpenEnvError, StepTimeout, UsageError, codes, from_code
from openenv.server import create_app
from openenv.sessions.spec import environment_spec


@pytest.mark.parametrize(
    ("given", "done"),
    [
        ({}, False),
        ({"terminated": True}, True),
        ({"truncated": True}, True),
        ({"terminated": True, "truncated": False}, True),
        ({"terminated": False, "truncated": False}, False),
        ({"done": True}, True),
        ({"done": True, "terminated": False}, True),
    ],
)
def test_either_flag_ends_the_episode(given: dict[str, bool], done: bool) -> None:
    observation = Observation(**given)
    assert observation.done is done
    assert observation.terminated is given.get("terminated")
    assert observation.truncated is given.get("truncated")


def test_a_done_that_both_flags_deny_is_an_error() -> None:
    with pytest.raises(ValidationError, match="contradicts"):
        Observation(done=True, terminated=False, truncated=False)


def test_flags_assigned_later_end_the_episode_too() -> None:
    observation = Observation()
    observation.truncated = True
    assert observation.done


def test_a_field_of_a_flags_name_has_its_own_meaning() -> None:
    class Excerpt(Observation):
        truncated: bool = False

    assert Excerpt(truncated=True).done is False
    assert Excerpt(terminated=True).done is True


def test_unknown_fields_are_refused_but_in_the_state() -> None:
    with pytest.raises(ValidationError):
        Action(colour="red")  # type: ignore[call-arg]
    assert State(score=3).model_dump()["score"] == 3


def test_a_result_takes_the_flags_by_name_only() -> None:
    result = StepResult("seen", 1.0, True, {"a": 1}, terminated=True)
    assert (result.reward, result.done, result.metadata) == (1.0, True, {"a": 1})
    assert (result.terminated, result.truncated) == (True, None)
    with pytest.raises(TypeError):
        StepResult("seen", 1.0, True, {}, True)  # type: ignore[call-arg]


def test_models_are_found_through_generic_parents() -> None:
    T = TypeVar("T", bound=Observation)

    class Half(Environment[Count, T, CountState], Generic[T]):
        pass

    class Whole(Half[Total]):
        pass

    class Deeper(Whole):
        pass

    assert models(Deeper, Environment) == (Count, Total, CountState)
    assert models(Half, Environment) == (Count, None, CountState)
    assert models(EnvClient, EnvClient) == (None, None, None)


def test_a_dataclass_decorator_on_a_model_is_refused_with_what_to_do() -> None:
    @dataclasses.dataclass
    class Old(Action):
        amount: int = 0

    with pytest.raises(UsageError, match="Old is a pydantic model already: drop the @dataclass"):
        create_app(Counter, Old, Total)


def test_an_environment_that_names_no_models_must_be_given_them() -> None:
    class Bare(Environment[Any, Any, Any]):
        def reset(self, seed: int | None = None, episode_id: str | None = None) -> Observation:
            return Observation()

        def step(self, action: Action, timeout_s: float | None = None) -> Observation:
            return Observation()

        @property
        def state(self) -> State:
            return State()

    with pytest.raises(UsageError, match="action_cls"):
        environment_spec(Bare)
    assert environment_spec(Bare, Count, Total).action is Count


def test_what_is_no_environment_is_refused() -> None:
    class Unfinished(Environment[Count, Total, CountState]):
        def reset(self, seed: int | None = None, episode_id: str | None = None) -> Total:
            return Total()

    with pytest.raises(UsageError, match="lacks state, step"):
        environment_spec(Unfinished)
    for wrong in (int, 3, "counting:Counter"):
        with pytest.raises(UsageError):
            environment_spec(wrong)


def test_factories_of_every_kind_are_understood() -> None:
    def annotated() -> Counter:
        raise AssertionError("not to be called before a session needs it")

    assert environment_spec(annotated).cls is Counter
    assert environment_spec(functools.partial(Counter)).cls is Counter
    assert environment_spec(lambda: Counter()).cls is Counter
    instance = environment_spec(Counter())
    assert instance.shared
    assert not instance.concurrent

    def broken():  # type: ignore[no-untyped-def]
        raise OSError("no display")

    with pytest.raises(FactoryError, match="no display"):
        environment_spec(broken)


def test_transforms_apply_in_order() -> None:
    class Append(Transform[Total]):
        def __init__(self, text: str) -> None:
            self.text = text

        def __call__(self, observation: Total) -> Total:
            observation.label += self.text
            return observation

    assert CompositeTransform([Append("a"), Append("b")])(Total(label="-")).label == "-ab"


def test_every_code_is_a_class_and_back() -> None:
    for code, kind in codes().items():
        error = from_code(code, "why", errors=[1])
        assert type(error) is kind
        assert isinstance(error, RuntimeError)
        again = pickle.loads(pickle.dumps(error))
        assert (type(again), str(again), again.details) == (kind, "why", {"errors": [1]})
    assert issubclass(StepTimeout, TimeoutError)
    assert type(from_code("NEVER_HEARD", "why")) is OpenEnvError

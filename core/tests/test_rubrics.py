"""Rubrics: trees of them, what they give, and how it reaches an agent."""

from __future__ import annotations

import asyncio
import copy
import inspect
import pickle
from typing import Any

import httpx
import pytest
from scoring import Answer, Has, HasLater, Judged, JudgedLater, Quality, Seen
from serving import running

from openenv import EnvClient, Environment, Observation, State
from openenv.errors import UsageError
from openenv.rubrics import (
    ExponentialDiscountingTrajectoryRubric,
    Gate,
    Rubric,
    RubricDict,
    RubricList,
    Sequential,
    TrajectoryRubric,
    WeightedSum,
)
from openenv.server import create_app

PARTS = {
    "polite": 0.0,
    "polite.rubric_0": 0.0,
    "polite.rubric_0.rubric": 0.0,
    "content": 0.75,
    "content.rubric_0": 1.0,
    "content.rubric_1": 0.0,
}


async def given(rubric: Rubric, text: str) -> float:
    score = rubric(Answer(text=text), Seen())
    return float(await score if inspect.isawaitable(score) else score)


class Client(EnvClient[Answer, Seen, State]):
    pass


class Whole(TrajectoryRubric):
    def score_trajectory(self, trajectory: list[tuple[Any, Any]]) -> float:
        return float(sum(observation.reward or 0 for _, observation in trajectory))

    def compute_step_rewards(self) -> list[float]:
        return [0.0] * len(self.trajectory)


class Won(ExponentialDiscountingTrajectoryRubric):
    def score_trajectory(self, trajectory: list[tuple[Any, Any]]) -> float:
        return 1.0


def test_parts_are_found_by_their_attributes() -> None:
    class Top(Rubric):
        def __init__(self) -> None:
            self.list = RubricList([Has("a"), Has("b")])
            self.named = RubricDict({"x": Has("c"), "y.z": Has("d")})
            self.spare = Has("e")

        def forward(self, action: Any, observation: Any) -> float:
            return float(sum(part(action, observation) for part in self.list))

    top = Top()
    paths = ["list", "list.rubric_0", "list.rubric_1", "named", "named.x", "named.y.z", "spare"]
    assert [path for path, _ in top.named_rubrics()] == paths
    assert [type(child).__name__ for child in top.children()] == ["RubricList", "RubricDict", "Has"]
    assert next(top.named_rubrics("top"))[0] == "top.list"
    assert top.get_rubric("named.y.z") is top.named["y.z"]
    with pytest.raises(KeyError, match=r"no rubric at 'list\.rubric_9'"):
        top.get_rubric("list.rubric_9")
    top.list.append(Has("f"))
    del top.spare
    assert [path for path, _ in top.named_rubrics()] == [*paths[:3], "list.rubric_2", *paths[3:-1]]
    assert top(Answer(text="a f"), Seen()) == 2.0
    twin = pickle.loads(pickle.dumps(Quality()))
    assert [path for path, _ in twin.named_rubrics()] == list(dict(copy.deepcopy(twin).named_rubrics()))
    for lone in (top.list, top.named):
        with pytest.raises(NotImplementedError, match="their parent"):
            lone(None, None)


@pytest.mark.parametrize("kind", [Has, HasLater])
async def test_containers_give_the_same_whether_parts_are_awaited_or_not(kind: type[Has]) -> None:
    first, second = kind("a"), kind("b")
    assert await given(Sequential(first, second), "b") == 0.0
    assert second.calls == 0
    assert await given(Sequential(first, second), "a b") == 1.0
    assert await given(Sequential(), "") == 1.0
    half = WeightedSum([first, second], [0.5, 0.5])
    assert await given(half, "a") == 0.5
    assert await given(Gate(half, threshold=0.5), "a") == 0.5
    assert await given(Gate(half), "a") == 0.0
    assert half.weights == [0.5, 0.5]
    if kind is Has:
        assert half(Answer(text="b"), Seen()) == half.last_score == 0.5


async def test_parts_that_wait_wait_side_by_side_and_end_together() -> None:
    barrier, cut = asyncio.Barrier(2), []

    class Meets(Rubric):
        def __init__(self, then: Exception | None) -> None:
            self.then = then

        async def forward(self, action: Any, observation: Any) -> float:
            await barrier.wait()
            if self.then is not None:
                raise self.then
            try:
                await asyncio.sleep(30)
            except asyncio.CancelledError:
                cut.append(True)
                raise
            return 1.0

    async with asyncio.timeout(5):
        with pytest.raises(ConnectionError, match="gone"):
            await given(WeightedSum([Meets(ConnectionError("gone")), Meets(None)], [0.5, 0.5]), "")
    assert cut == [True]


@pytest.mark.parametrize("weights", [[0.5], [0.5, 0.2], [0.5, 0.4, 0.1]])
def test_weights_must_fit(weights: list[float]) -> None:
    with pytest.raises(ValueError, match="weights"):
        WeightedSum([Has("a"), Has("b")], weights)


async def test_hooks_run_around_and_may_be_awaited() -> None:
    told: list[Any] = []

    async def after(rubric: Rubric, action: Any, observation: Any, score: float) -> None:
        await asyncio.sleep(0)
        told.append(("after", score, rubric.last_score))

    rubric = Has("a")
    rubric.register_forward_pre_hook(lambda rubric, action, observation: told.append(("before", rubric.last_score)))
    assert rubric(Answer(text="a"), Seen()) == 1.0
    rubric.register_forward_hook(after)
    assert await rubric(Answer(text="b"), Seen()) == 0.0
    assert told == [("before", None), ("before", 1.0), ("after", 0.0, 0.0)]


def test_settings_are_saved_by_path() -> None:
    tree = Sequential(Won(gamma=0.5, intermediate_reward=0.1), Has("a"))
    saved = tree.state_dict()
    assert saved == {"rubric_0.intermediate_reward": 0.1, "rubric_0.gamma": 0.5}
    other = Sequential(Won(), Has("a"))
    other.load_state_dict({**saved, "unknown": 1})
    assert other.state_dict() == saved
    lone = Won()
    lone.load_state_dict({"gamma": 0.25})
    assert lone.state_dict() == {"intermediate_reward": 0.0, "gamma": 0.25}
    with pytest.raises(ValueError, match="gamma"):
        lone.load_state_dict({"gamma": 2})


def test_a_trajectory_is_scored_at_its_end_and_forgotten_at_reset() -> None:
    tree = Sequential(Whole(intermediate_reward=0.25))
    steps = [Observation(reward=1.0), Observation(reward=2.0), Observation(reward=3.0, done=True)]
    assert [tree("act", step) for step in steps] == [0.25, 0.25, 6.0]
    inner = tree.get_rubric("rubric_0")
    assert isinstance(inner, Whole)
    assert inner.trajectory == [("act", step) for step in steps]
    tree.reset()
    assert inner.trajectory == []
    won = Won(gamma=0.5)
    assert won.compute_step_rewards() == []
    for step in steps:
        won("act", step)
    assert won.compute_step_rewards() == [0.25, 0.5, 1.0]


@pytest.mark.parametrize(
    ("environment", "isolation"),
    [(Judged, "thread"), (Judged, "process"), (JudgedLater, "inline")],
)
def test_the_scores_of_the_parts_reach_the_client(environment: type[Judged], isolation: str) -> None:
    with running(create_app(environment, isolation=isolation)) as url, Client(url).sync() as env:
        assert env.reset().metadata in (None, {})
        for _ in range(2):
            result = env.step(Answer(text="red"))
            assert result.reward == 0.375
            assert result.metadata == {"rubric_scores": PARTS}
        scores = env.step(Answer(text="please and thanks")).metadata
        assert scores is not None
        assert scores["rubric_scores"]["polite.rubric_1"] == 1.0
        said = httpx.get(f"{url}/metadata").json()
        assert (said["reward_range"], said["reward_kind"]) == ([0.0, 1.0], "delta")


async def test_blocking_code_in_an_event_loop_is_told_what_to_do() -> None:
    with pytest.raises(UsageError, match="_apply_rubric_async"):
        Judged().step(Answer(text="red"))


def test_an_environment_without_a_rubric_scores_nothing() -> None:
    class Plain(Judged):
        def __init__(self) -> None:
            self.transform = None

    plain = Plain()
    plain.reset()
    assert plain.step(Answer(text="red")).reward == 0.0


def test_what_is_said_of_rewards_must_make_sense() -> None:
    for wrong in ((1.0, 0.0), 1.0, ("a", 2), (0.0, float("nan"))):
        with pytest.raises(UsageError, match="REWARD_RANGE"):
            type("Wrong", (Environment,), {"REWARD_RANGE": wrong})
    with pytest.raises(UsageError, match="REWARD_KIND"):
        type("Wrong", (Environment,), {"REWARD_KIND": "sum"})
    unbounded: Any = type("Fine", (Judged,), {"REWARD_RANGE": (0, float("inf"))})
    assert unbounded().get_metadata().reward_range == (0.0, None)
    silent: Any = type("Silent", (Judged,), {"REWARD_RANGE": None, "REWARD_KIND": None})
    assert "reward_range" not in silent().get_metadata().model_dump()

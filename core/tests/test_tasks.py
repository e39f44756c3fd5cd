"""Tasks that an environment offers, over every way there is to ask for them, and its own word about itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from counting import Count, CountState, Total
from serving import running

from openenv import EnvClient, Environment, EnvironmentMetadata
from openenv.contract.tasks import TaskProvider
from openenv.errors import InvalidActionError, NotSupportedError
from openenv.server import create_app

SPLITS = {"train": [{"id": n, "target": n * n} for n in range(5)], "held_out": [{"id": 9, "target": 81}]}


class Quiz(Environment[Count, Total, CountState]):
    """Asks for the square of a task's number."""

    SUPPORTS_CONCURRENT_SESSIONS = True

    def __init__(self) -> None:
        super().__init__()
        self._state = CountState()
        self._target = 0

    def reset(self, seed: int | None = None, episode_id: str | None = None, *, task: dict[str, Any] | None = None) -> Total:
        self._state = CountState(episode_id=episode_id)
        self._target = task["target"] if task else 0
        return Total(label=f"task {task['id']}" if task else "no task")

    def step(self, action: Count, timeout_s: float | None = None) -> Total:
        return Total(total=action.amount, reward=float(action.amount == self._target), done=True)

    @property
    def state(self) -> CountState:
        return self._state

    def get_metadata(self) -> EnvironmentMetadata:
        return EnvironmentMetadata(name="The Quiz", description="Squares", version="3.1")

    def list_splits(self) -> list[Any]:
        return ["train", "held_out", {"name": "hard", "type": "test"}]

    def list_tasks(self, split: str) -> list[Any]:
        if split not in SPLITS:
            raise ValueError(f"no split {split!r}: there are {', '.join(SPLITS)}")
        return SPLITS[split]

    def num_tasks(self, split: str) -> int:
        return len(self.list_tasks(split))

    def get_task(self, split: str, index: int) -> Any:
        return self.list_tasks(split)[index]

    def get_task_range(self, split: str, start: int | None = None, stop: int | None = None) -> list[Any]:
        return self.list_tasks(split)[start:stop]


class AsyncQuiz(Quiz):
    """As `Quiz`, on the event loop."""

    async def reset_async(self, *args: Any, **options: Any) -> Total:
        return self.reset(*args, **options)

    async def list_tasks(self, split: str) -> list[Any]:  # type: ignore[override]
        if split not in SPLITS:
            raise ValueError(f"no split {split!r}")
        return SPLITS[split]


class SoloQuiz(Quiz):
    """As `Quiz`, one at a time."""

    SUPPORTS_CONCURRENT_SESSIONS = False


class QuizEnv(EnvClient[Count, Total, CountState]):
    """Plays `Quiz`."""


@pytest.fixture(scope="module")
def quiz_url() -> Iterator[str]:
    with running(create_app(Quiz, env_name="quiz_env")) as url:
        yield url


@pytest.fixture(params=["websocket", "http", "local"])
def client(request: pytest.FixtureRequest, quiz_url: str) -> Iterator[QuizEnv]:
    made = QuizEnv.from_environment(Quiz) if request.param == "local" else QuizEnv(quiz_url, transport=request.param)
    with made:
        yield made


def test_a_curriculum_on_every_transport(client: QuizEnv) -> None:
    env = client.sync()
    assert [(split.name, split.type) for split in env.list_splits()] == [
        ("train", "train"),
        ("held_out", "validation"),
        ("hard", "test"),
    ]
    assert env.num_tasks("train") == 5
    assert env.list_tasks("held_out") == SPLITS["held_out"]
    assert env.get_task_range("train", 1, 3) == SPLITS["train"][1:3]
    assert env.get_task_range("train", stop=2) == SPLITS["train"][:2]
    for task in env.get_task_range("train", -2):
        assert env.reset(task=task).observation.label == f"task {task['id']}"
        assert env.step(Count(amount=task["target"])).reward == 1.0
    with pytest.raises(InvalidActionError, match="no split 'moon'"):
        env.list_tasks("moon")
    with pytest.raises(InvalidActionError, match="Invalid task index"):
        env.get_task("train", 50)
    assert env.reset().observation.label == "no task"


async def test_awaited(quiz_url: str) -> None:
    async with QuizEnv(quiz_url) as env:
        assert await env.get_task("train", 3) == {"id": 3, "target": 9}


def test_the_routes_answer_as_published(quiz_url: str) -> None:
    with httpx.Client(base_url=quiz_url) as http:
        assert http.get("/list_environments").json() == ["quiz_env"]
        assert http.get("/quiz_env/splits").json()[1] == {"name": "held_out", "type": "validation"}
        asked = {"split": "train"}
        assert http.post("/quiz_env/tasks", json=asked).json() == {"tasks": SPLITS["train"], "env_name": "quiz_env"}
        assert http.post("/quiz_env/num_tasks", json=asked).json() == {"num_tasks": 5}
        assert http.post("/quiz_env/task", json={**asked, "index": 2}).json() == {"task": SPLITS["train"][2]}
        assert http.post("/quiz_env/task_range", json={**asked, "start": 3}).json() == {"tasks": SPLITS["train"][3:]}
        statuses = {
            "/quiz_env/task": ({**asked, "index": 20}, 400),
            "/other/tasks": (asked, 404),
            "/quiz_env/num_tasks": ({**asked, "x": 1}, 422),
            "/quiz_env/tasks": ({"split": "moon"}, 400),
        }
        for path, (body, status) in statuses.items():
            refused = http.post(path, json=body)
            assert (refused.status_code, path, bool(refused.json()["detail"])) == (status, path, True)
        evil = http.post("/quiz_env/tasks", json=asked, headers={"Origin": "https://elsewhere.example"})
        assert evil.status_code == 403


def test_an_environment_without_tasks_says_so(counter_url: str) -> None:
    with httpx.Client(base_url=counter_url) as http:
        name = http.get("/list_environments").json()[0]
        assert http.get(f"/{name}/splits").status_code == 501
        assert http.post(f"/{name}/task", json={"split": "train", "index": 0}).status_code == 501
    with QuizEnv(counter_url) as env, pytest.raises(NotSupportedError, match="list_splits is not supported"):
        env.sync().list_splits()


def test_tasks_that_are_awaited() -> None:
    with QuizEnv.from_environment(AsyncQuiz).sync() as env:
        assert env.list_tasks("held_out") == SPLITS["held_out"]
        with pytest.raises(InvalidActionError, match="no split"):
            env.list_tasks("moon")


def test_a_question_takes_no_slot_for_long() -> None:
    with running(create_app(SoloQuiz, env_name="quiz_env", queue_timeout_s=0.3)) as url, httpx.Client(base_url=url) as http:
        for _ in range(3):
            assert http.get("/quiz_env/splits").is_success
        assert http.post("/reset").is_success
        assert http.get("/quiz_env/splits").is_success, "the caller's own session is asked"
        assert httpx.get(f"{url}/quiz_env/splits").status_code == 503


def test_metadata_is_what_the_environment_says(quiz_url: str) -> None:
    assert httpx.get(f"{quiz_url}/metadata").json() == Quiz().get_metadata().model_dump()


def test_metadata_does_not_wait_for_a_slot() -> None:
    with running(create_app(SoloQuiz, env_name="quiz_env")) as url:
        with QuizEnv(url).sync() as env:
            env.reset()
            assert httpx.get(f"{url}/metadata").json()["name"] == "quiz_env"
        assert httpx.get(f"{url}/metadata").json()["name"] == "The Quiz"


@pytest.mark.parametrize("isolation", ["inline", "process"])
def test_other_isolations(isolation: str) -> None:
    with running(create_app(Quiz, env_name="quiz_env", isolation=isolation)) as url:
        with QuizEnv(url).sync() as env:
            assert env.num_tasks("train") == 5
        assert httpx.get(f"{url}/metadata").json()["version"] == "3.1"


def test_the_protocol_is_the_contract() -> None:
    assert isinstance(Quiz(), TaskProvider)

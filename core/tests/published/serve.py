"""A server of an environment that adds up, written for the published package; run by its python, and by this project's."""

import sys

import uvicorn

from openenv.core.env_server import Action, Environment, Observation, State, create_fastapi_app
from openenv.core.env_server.types import EnvironmentMetadata


class Count(Action):
    amount: int


class Total(Observation):
    total: int = 0
    label: str = ""


class Adder(Environment):
    SUPPORTS_CONCURRENT_SESSIONS = True

    def __init__(self):
        super().__init__()
        self._state = State()
        self._total = 0

    def reset(self, seed=None, episode_id=None, **kwargs):
        self._state = State(episode_id=episode_id or f"seed-{seed}", task=kwargs.get("task"))
        self._total = 0
        return Total(label="start")

    def step(self, action, timeout_s=None, **kwargs):
        if action.amount < 0:
            raise ValueError("amount must not be negative")
        self._state.step_count += 1
        self._total += action.amount
        return Total(total=self._total, label="counted", reward=action.amount, done=self._total >= 10)

    @property
    def state(self):
        return self._state

    def get_metadata(self):
        return EnvironmentMetadata(name="Adder", description="Adds up", version="1.2", author="somebody")

    def list_splits(self):
        return ["train", "test", {"name": "hard", "type": "validation"}]

    def list_tasks(self, split):
        return [{"id": n, "split": split} for n in range(4)]

    def num_tasks(self, split):
        return len(self.list_tasks(split))

    def get_task(self, split, index):
        return self.list_tasks(split)[index]

    def get_task_range(self, split, start=None, stop=None):
        return self.list_tasks(split)[start:stop]


app = create_fastapi_app(Adder, Count, Total, max_concurrent_envs=64)
uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")

"""Run by the published package's python: its server, of an environment that adds up."""

import sys

import uvicorn

from openenv.core.env_server import Action, Environment, Observation, State, create_fastapi_app


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
        self._state = State(episode_id=episode_id or f"seed-{seed}")
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


app = create_fastapi_app(Adder, Count, Total, max_concurrent_envs=64)
uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")

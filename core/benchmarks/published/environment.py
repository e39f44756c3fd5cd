"""The environment that is measured, written for the published package. Its twin is `ours/environment.py`."""

import base64
import functools

import payload
from pydantic import Field

from openenv.core.env_server import Action, Environment, Observation, State


class Move(Action):
    amount: int = 0


class Numbers(Observation):
    total: int = 0
    values: list[float] = Field(default_factory=list)


class Picture(Observation):
    """Its messages are JSON, so the author sends bytes as text."""

    total: int = 0
    image: str = ""


class Game(Environment):
    """Adds up, and shows the same content with every total."""

    SUPPORTS_CONCURRENT_SESSIONS = True
    kind = payload.SMALL

    def __init__(self):
        super().__init__()
        self._state = State()
        self._total = 0
        self._seen = observation(self.kind)

    def reset(self, seed=None, episode_id=None, **kwargs):
        self._state = State(episode_id=episode_id or f"seed-{seed}")
        self._total = 0
        return self._seen(total=0, **content(self.kind))

    def step(self, action, timeout_s=None, **kwargs):
        self._state.step_count += 1
        self._total += action.amount
        return self._seen(total=self._total, reward=float(action.amount), done=False, **content(self.kind))

    @property
    def state(self):
        return self._state


def observation(kind):
    """Return the observation's class of a kind."""
    return Picture if kind == payload.IMAGE else Numbers


def content(kind):
    """Return the fields of an observation beside its total; an image is encoded anew in every step, as a new one would be."""
    if kind == payload.IMAGE:
        return {"image": base64.b64encode(payload.image()).decode()}
    return _numbers(kind)


@functools.cache
def _numbers(kind):
    return {"values": payload.floats(kind)}


def game(kind):
    """Return the environment that shows a kind of content."""
    return type("Game", (Game,), {"kind": kind, "__doc__": Game.__doc__})

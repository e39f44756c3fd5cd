"""Plays the environment with the published package's client."""

import base64
from importlib.metadata import version

import payload
from published.environment import Move, Numbers

from openenv.core import EnvClient
from openenv.core.client_types import StepResult
from openenv.core.env_server import Observation, State

PACKAGE = f"openenv {version('openenv')}"


class Picture(Observation):
    """What the agent wants to have: the bytes."""

    total: int = 0
    image: bytes = b""


class GameEnv(EnvClient[Move, Numbers, State]):
    def _step_payload(self, action):
        return {"amount": action.amount}

    def _parse_result(self, payload):
        seen = Numbers(**payload["observation"], reward=payload.get("reward"), done=payload.get("done", False))
        return StepResult(observation=seen, reward=payload.get("reward"), done=payload.get("done", False))

    def _parse_state(self, payload):
        return State(**payload)


class PictureEnv(GameEnv):
    def _parse_result(self, payload):
        inside = payload["observation"]
        inside["image"] = base64.b64decode(inside["image"])
        seen = Picture(**inside, reward=payload.get("reward"), done=payload.get("done", False))
        return StepResult(observation=seen, reward=payload.get("reward"), done=payload.get("done", False))


def absence(kind, do):
    """Say why something cannot be measured here, or None where it can."""
    return "the published client has no lanes" if do == "lanes" else None


def client(kind, url):
    """Return a client to be entered with `async with`."""
    return (PictureEnv if kind == payload.IMAGE else GameEnv)(base_url=url)


def blocking(kind, url):
    """Return a client to be entered with `with`."""
    return client(kind, url).sync()


def move():
    """Return an action."""
    return Move(amount=1)


def content(seen):
    """Return what type an observation's content has, and the content as plain data."""
    return ("bytes", seen.image) if isinstance(seen, Picture) else ("list[float]", seen.values)

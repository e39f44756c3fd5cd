"""Plays the environment with this project's client."""

from __future__ import annotations

import functools
import types
from importlib.metadata import version
from typing import Any

import payload
from ours.environment import Game, Move, game, observation, supports_arrays

from openenv import EnvClient, State

PACKAGE = f"openenv-core {version('openenv-core')}"


@functools.cache
def _client_class(kind: str) -> type[EnvClient[Any, Any, Any]]:
    model: Any = observation(kind)
    return types.new_class("GameEnv", (EnvClient[Move, model, State],))


def absence(kind: str, do: str) -> str | None:
    """Say why something cannot be measured here, or None where it can."""
    if do == "lanes" and not hasattr(EnvClient, "lanes"):
        return "not yet: EnvClient has no lanes"
    if kind.startswith(payload.ARRAY) and not supports_arrays():
        return "not yet: no arrays, or no numpy"
    return None


def client(kind: str, url: str) -> Any:
    """Return a client to be entered with `async with`."""
    return _client_class(kind)(base_url=url)


def blocking(kind: str, url: str) -> Any:
    """Return a client to be entered with `with`."""
    return _client_class(kind)(base_url=url).sync()


def lanes(kind: str, url: str, count: int) -> Any:
    """Return that many environments on one connection, to be entered with `async with`."""
    return client(kind, url).lanes(count)


def in_process(kind: str) -> Game:
    """Return the environment itself."""
    return game(kind)()


def move() -> Move:
    """Return an action."""
    return Move(amount=1)


def content(seen: Any) -> tuple[str, Any]:
    """Return what type an observation's content has, and the content as plain data."""
    if hasattr(seen, "image"):
        return "bytes", seen.image
    values = seen.values
    if isinstance(values, list):
        return "list[float]", values
    return f"numpy {values.dtype}", values.tolist()

"""The environment that is measured, written for this project. Its twin is `published/environment.py`."""

from __future__ import annotations

import functools
from typing import Annotated, Any, ClassVar

import payload
from pydantic import Field

from openenv import Action, Environment, Observation, State


class Move(Action):
    amount: int = 0


class Numbers(Observation):
    total: int = 0
    values: list[float] = Field(default_factory=list)


class Picture(Observation):
    total: int = 0
    image: bytes = b""


class Game(Environment[Move, Observation, State]):
    """Adds up, and shows the same content with every total."""

    SUPPORTS_CONCURRENT_SESSIONS = True
    kind: ClassVar[str] = payload.SMALL

    def __init__(self) -> None:
        super().__init__()
        self._state = State()
        self._total = 0
        self._seen: Any = observation(self.kind)
        self._content = content(self.kind)

    def reset(self, seed: int | None = None, episode_id: str | None = None) -> Observation:
        self._state = State(episode_id=episode_id or f"seed-{seed}")
        self._total = 0
        return self._seen(total=0, **self._content)  # type: ignore[no-any-return]

    def step(self, action: Move, timeout_s: float | None = None) -> Observation:
        self._state.step_count += 1
        self._total += action.amount
        if self.kind == payload.THINKING:
            payload.think()
        return self._seen(total=self._total, reward=float(action.amount), done=False, **self._content)  # type: ignore[no-any-return]

    @property
    def state(self) -> State:
        return self._state


def supports_arrays() -> bool:
    """Return whether observations may hold NumPy arrays here."""
    try:
        import numpy  # noqa: F401

        from openenv import Array  # noqa: F401
    except ImportError:
        return False
    return True


@functools.cache
def observation(kind: str) -> type[Observation]:
    """Return the observation's class of a kind."""
    if kind == payload.IMAGE:
        return Picture
    return _arrays(payload.count(kind)) if kind.startswith(payload.ARRAY) else Numbers


@functools.cache
def content(kind: str) -> dict[str, Any]:
    """Return the fields of an observation beside its total."""
    if kind == payload.IMAGE:
        return {"image": payload.image()}
    if kind.startswith(payload.ARRAY):
        import numpy

        return {"values": numpy.array(payload.floats(kind))}
    return {"values": payload.floats(kind)}


def game(kind: str) -> type[Game]:
    """Return the environment that shows a kind of content."""
    return type("Game", (Game,), {"kind": kind, "__doc__": Game.__doc__})


def _arrays(count: int) -> type[Observation]:
    import numpy
    from pydantic import create_model

    from openenv import Array

    marked = Annotated[numpy.ndarray, Array("float64", count)]
    return create_model("Numbers", __base__=Observation, total=(int, 0), values=(marked, ...))

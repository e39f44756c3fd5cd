"""An environment that writes down every call, so that a test can compare what was run with what its client was told."""

from __future__ import annotations

import threading
from collections import defaultdict
from typing import Any, ClassVar

from pydantic import Field

from openenv import Action, EnvClient, Environment, Observation, State


class Note(Action):
    """Write a number down.

    Attributes:
        padding: makes the request longer.
        reply_bytes: makes the reply longer by so much.
        gate: waits in the environment until the gate of this name is opened.
    """

    number: int
    padding: str = ""
    reply_bytes: int = 0
    gate: str = ""


class Page(Observation):
    """What was written last, and all that was written in this episode."""

    number: int = 0
    written: list[int] = Field(default_factory=list)
    padding: str = ""


class Journal(Environment[Note, Page, State]):
    """Writes down numbers; the journals of all episodes can be read by their names."""

    SUPPORTS_CONCURRENT_SESSIONS = True
    steps: ClassVar[defaultdict[str, list[int]]] = defaultdict(list)
    resets: ClassVar[defaultdict[str, int]] = defaultdict(int)
    closed: ClassVar[defaultdict[str, int]] = defaultdict(int)
    built: ClassVar[int] = 0
    gates: ClassVar[defaultdict[str, threading.Event]] = defaultdict(threading.Event)

    def __init__(self) -> None:
        super().__init__()
        Journal.built += 1
        self._state = State()

    def reset(self, seed: int | None = None, episode_id: str | None = None) -> Page:
        name = episode_id or ""
        Journal.resets[name] += 1
        self._state = State(episode_id=name)
        return Page(written=list(Journal.steps[name]))

    def step(self, action: Note, timeout_s: float | None = None) -> Page:
        if action.gate:
            Journal.gates[action.gate].wait(20)
        if action.number < 0:
            raise ValueError(f"{action.number} is negative")
        written = Journal.steps[self._state.episode_id or ""]
        written.append(action.number)
        self._state.step_count += 1
        return Page(number=action.number, written=list(written), reward=float(action.number), padding="x" * action.reply_bytes)

    @property
    def state(self) -> State:
        return self._state

    def render(self) -> dict[str, str]:
        return {"text/plain": " ".join(map(str, Journal.steps[self._state.episode_id or ""]))}

    def close(self) -> None:
        Journal.closed[self._state.episode_id or ""] += 1


class JournalEnv(EnvClient[Note, Page, State]):
    """Plays `Journal`."""


def step_of(number: int, **fields: Any) -> dict[str, Any]:
    """Return the `data` of a step."""
    return {"number": number, **fields}

"""Rubrics, and an environment whose reward they give."""

from __future__ import annotations

import asyncio
from typing import Any

from openenv import Action, Environment, Observation, State
from openenv.rubrics import Gate, Rubric, Sequential, WeightedSum


class Answer(Action):
    text: str


class Seen(Observation):
    text: str = ""


class Has(Rubric):
    """1 where the action's text has a word, else 0; counts its calls."""

    def __init__(self, word: str) -> None:
        super().__init__()
        self.word = word
        self.calls = 0

    def forward(self, action: Any, observation: Any) -> float:
        self.calls += 1
        return float(self.word in action.text)


class HasLater(Has):
    """As `Has`, but has to be awaited."""

    async def forward(self, action: Any, observation: Any) -> float:  # type: ignore[override]
        await asyncio.sleep(0.001)
        return Has.forward(self, action, observation)


class Quality(Rubric):
    """A rubric with parts of every kind."""

    def __init__(self, kind: type[Has] = Has) -> None:
        super().__init__()
        self.polite = Sequential(Gate(Has("please")), kind("thanks"))
        self.content = WeightedSum([kind("red"), Has("blue")], [0.75, 0.25])

    async def forward(self, action: Any, observation: Any) -> float:
        polite, content = self.polite(action, observation), self.content(action, observation)
        return float(((await polite) if asyncio.iscoroutine(polite) else polite) * 0.5) + float(
            ((await content) if asyncio.iscoroutine(content) else content) * 0.5
        )


class Judged(Environment[Answer, Seen, State]):
    """Gives what its rubric says; `step` blocks, and the rubric has to be awaited."""

    SUPPORTS_CONCURRENT_SESSIONS = True
    REWARD_RANGE = (0.0, 1.0)
    REWARD_KIND = "delta"

    def __init__(self) -> None:
        super().__init__(rubric=Quality(HasLater))

    def reset(self, seed: int | None = None, episode_id: str | None = None) -> Seen:
        self._reset_rubric()
        return Seen()

    def step(self, action: Answer, timeout_s: float | None = None) -> Seen:
        seen = Seen(text=action.text)
        seen.reward = self._apply_rubric(action, seen)
        return seen

    @property
    def state(self) -> State:
        return State()


class JudgedLater(Judged):
    """The same for the event loop."""

    async def reset_async(self, seed: int | None = None, episode_id: str | None = None) -> Seen:
        await self._reset_rubric_async()
        return Seen()

    async def step_async(self, action: Answer, timeout_s: float | None = None) -> Seen:
        seen = Seen(text=action.text)
        seen.reward = await self._apply_rubric_async(action, seen)
        return seen

"""An environment that keeps the contract, and for every rule one that breaks it."""

from __future__ import annotations

import random
import tempfile
import threading
import time
from typing import Any, ClassVar
from uuid import uuid4

import numpy
from pydantic import BaseModel, Field, model_validator

from openenv import Action, Environment, NoEpisodeError, Observation, State


class Guess(Action):
    number: int = Field(ge=0, le=9)


class Seen(Observation):
    roll: int = Field(default=0, ge=0)
    legal_actions: list[int] = Field(default_factory=list)


class Sound(Environment[Guess, Seen, State]):
    """Guess what a die of ten sides shows next; five times an episode."""

    SUPPORTS_CONCURRENT_SESSIONS = True
    REWARD_RANGE = (0.0, 1.0)
    REWARD_KIND = "delta"

    def __init__(self) -> None:
        super().__init__()
        self._random = random.Random(0)
        self._state = State()

    def reset(self, seed: int | None = None, episode_id: str | None = None) -> Seen:
        self._random = random.Random(seed)
        self._state = State(episode_id=episode_id or uuid4().hex)
        return self.seen()

    def step(self, action: Guess, timeout_s: float | None = None) -> Seen:
        if action.number % 2 != self._state.step_count % 2:
            raise ValueError("odd and even numbers take turns")
        self._state.step_count += 1
        seen = self.seen()
        seen.reward = float(seen.roll == action.number)
        return seen

    def seen(self) -> Seen:
        count = self._state.step_count
        over = count == 5
        legal = [] if over else list(range(count % 2, 10, 2))
        return Seen(roll=self._random.randrange(10), legal_actions=legal, terminated=over)

    def render(self) -> dict[str, str]:
        return {"text/plain": f"step {self._state.step_count}"}

    @property
    def state(self) -> State:
        return self._state


class NoDocstring(Sound):
    __doc__ = None


class OtherFields(Sound):
    """Gives what its model does not allow."""

    def seen(self) -> Seen:
        seen = super().seen()
        seen.__dict__["roll"] = -1
        return seen


class Bare(BaseModel):
    episode_id: str | None = None
    step_count: int = 0


class Homemade(Environment[Guess, Seen, Bare]):  # type: ignore[type-var]
    """Has a state that is none."""

    def reset(self, seed: int | None = None, episode_id: str | None = None) -> Seen:
        return Seen()

    def step(self, action: Guess, timeout_s: float | None = None) -> Seen:
        return Seen(reward=0.0)

    @property
    def state(self) -> Bare:
        return Bare()


class FailsAtSome(Sound):
    """Raises what is no refusal."""

    def step(self, action: Guess, timeout_s: float | None = None) -> Seen:
        return super().step(Guess(number=[0, 1, 2, 3][action.number]))


class Careless(Sound):
    """Counts what it refuses."""

    def step(self, action: Guess, timeout_s: float | None = None) -> Seen:
        try:
            return super().step(action)
        except ValueError:
            self._state.step_count += 1
            raise


class Anything(Action):
    number: int = 0

    @model_validator(mode="before")
    @classmethod
    def _whatever(cls, data: dict[str, Any]) -> dict[str, Any]:
        return {"number": number if type(number := data.get("number")) is int else 0}


class Lenient(Environment[Anything, Seen, State]):
    """Does what does not fit its schema."""

    def reset(self, seed: int | None = None, episode_id: str | None = None) -> Seen:
        return Seen()

    def step(self, action: Anything, timeout_s: float | None = None) -> Seen:
        return Seen(reward=0.0)

    @property
    def state(self) -> State:
        return State()


class Generous(Sound):
    """Pays for a reset."""

    def reset(self, seed: int | None = None, episode_id: str | None = None) -> Seen:
        seen = super().reset(seed, episode_id)
        seen.reward = 0.0
        return seen


class Nameless(Sound):
    """Forgets the name of the episode."""

    def reset(self, seed: int | None = None, episode_id: str | None = None) -> Seen:
        return super().reset(seed)


class Continuing(Sound):
    """Begins no episode in the middle of another."""

    def reset(self, seed: int | None = None, episode_id: str | None = None) -> Seen:
        count = self._state.step_count
        seen = super().reset(seed, episode_id)
        if count < 5:
            self._state.step_count = count
        return seen


class Uncounted(Sound):
    """Counts no steps for others to see."""

    @property
    def state(self) -> State:
        return State(episode_id=self._state.episode_id)


class Watched(Sound):
    """Counts who asks."""

    _asked = 0

    @property
    def state(self) -> State:
        self._asked += 1
        return State.model_validate({**self._state.model_dump(), "asked": self._asked})


class Contradicting(Sound):
    """Is done, and neither terminated nor truncated."""

    def step(self, action: Guess, timeout_s: float | None = None) -> Seen:
        seen = super().step(action)
        if seen.done:
            seen.__dict__.update(terminated=False, truncated=False)
        return seen


class GoesOn(Sound):
    """Knows no end, unless a server does."""

    def step(self, action: Guess, timeout_s: float | None = None) -> Seen:
        self._state.step_count += 1
        seen = self.seen()
        seen.terminated = seen.terminated or self._state.step_count > 5
        return seen


class CountsOn(Sound):
    """Refuses steps after the end, and counts them."""

    def step(self, action: Guess, timeout_s: float | None = None) -> Seen:
        if self._state.step_count >= 5:
            self._state.step_count += 1
            raise NoEpisodeError("it is over")
        return super().step(action)


class Infinite(Sound):
    """Rewards without bound."""

    def step(self, action: Guess, timeout_s: float | None = None) -> Seen:
        seen = super().step(action)
        seen.reward = float("inf")
        return seen


class Overpaying(Sound):
    """Says that rewards are at most 1."""

    def step(self, action: Guess, timeout_s: float | None = None) -> Seen:
        seen = super().step(action)
        seen.reward = 2.0
        return seen


class PaysTheStubborn(Sound):
    """Pays more than it says to those who always do the first thing."""

    _stubborn = False

    def step(self, action: Guess, timeout_s: float | None = None) -> Seen:
        stubborn = action.number < 2 and (self._state.step_count == 0 or self._stubborn)
        self._stubborn = stubborn
        seen = super().step(action)
        seen.reward = 2.0 if seen.done and stubborn else seen.reward
        return seen


class Pictureless(Sound):
    """Shows nothing that can be read."""

    def render(self) -> dict[str, str]:
        return {"image/svg+xml": "<svg/>"}


class Ending(Sound):
    """Has no picture of the end."""

    def render(self) -> dict[str, str]:
        if self._state.step_count == 5:
            raise RuntimeError("nothing left to draw")
        return super().render()


class Touched(Sound):
    """Moves when it is looked at."""

    def render(self) -> dict[str, str]:
        self._state.step_count += 1
        return super().render()


class Unseeded(Sound):
    """Takes a seed and does not use it."""

    def reset(self, seed: int | None = None, episode_id: str | None = None) -> Seen:
        return super().reset(None, episode_id)


class Monotonous(Sound):
    """Is random without a seed, and with one always the same."""

    def reset(self, seed: int | None = None, episode_id: str | None = None) -> Seen:
        return super().reset(None if seed is None else 1, episode_id)


class Global(Sound):
    """Seeds the generator of the whole process."""

    def reset(self, seed: int | None = None, episode_id: str | None = None) -> Seen:
        random.seed(seed)
        return super().reset(seed, episode_id)

    def seen(self) -> Seen:
        self._random = random._inst
        return super().seen()


class GlobalArrays(Sound):
    """Draws from NumPy's generator of the whole process."""

    def seen(self) -> Seen:
        seen = super().seen()
        seen.roll = int(numpy.random.randint(10))
        return seen


class Unlike(Sound):
    """Is another over a socket: it counts the instances that there have been."""

    built: ClassVar[int] = 0

    def __init__(self) -> None:
        super().__init__()
        type(self).built += 1
        self._number = self.built

    def seen(self) -> Seen:
        seen = super().seen()
        seen.roll += 100 * self._number
        return seen


class Shared(Sound):
    """Keeps one generator for all its instances."""

    def reset(self, seed: int | None = None, episode_id: str | None = None) -> Seen:
        seen = super().reset(seed, episode_id)
        type(self)._random = self._random
        del self.__dict__["_random"]
        return seen


class Overlapping(Sound):
    """Lets go of what it shares before it is done with it: only sessions that step at once notice."""

    number: ClassVar[int] = 0

    def step(self, action: Guess, timeout_s: float | None = None) -> Seen:
        type(self).number = action.number
        time.sleep(0.002)
        return super().step(Guess(number=self.number))


class ClosedOnce(Sound):
    """Cannot be closed twice."""

    closed = False

    def close(self) -> None:
        if self.closed:
            raise RuntimeError("closed already")
        self.closed = True


class ClosedLate(Sound):
    """Cannot be closed before it was reset."""

    def reset(self, seed: int | None = None, episode_id: str | None = None) -> Seen:
        self._rolls = [0]
        return super().reset(seed, episode_id)

    def close(self) -> None:
        self._rolls.clear()


class Leaking(Sound):
    """Leaves a thread behind."""

    over: ClassVar[threading.Event] = threading.Event()

    def __init__(self) -> None:
        super().__init__()
        threading.Thread(target=self.over.wait, args=(30,), daemon=True).start()


class LeavingFilesOpen(Sound):
    """Leaves a file open."""

    files: ClassVar[list[Any]] = []

    def __init__(self) -> None:
        super().__init__()
        self.files.append(tempfile.TemporaryFile())  # noqa: SIM115 - to be closed by nobody


class Littering(Sound):
    """Leaves a file behind."""

    def __init__(self) -> None:
        super().__init__()
        tempfile.mkdtemp()

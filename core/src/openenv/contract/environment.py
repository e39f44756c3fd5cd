"""The class that an environment's author inherits."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from typing import Any, ClassVar, Generic, TypeVar

from .models import Action, EnvironmentMetadata, Observation, State
from .transforms import Transform

ActT = TypeVar("ActT", bound=Action)
ObsT = TypeVar("ObsT", bound=Observation)
StateT = TypeVar("StateT", bound=State)


class Environment(ABC, Generic[ActT, ObsT, StateT]):
    """A game, a simulator, a sandbox: something with episodes that an agent acts in.

    Inherit as `Environment[MyAction, MyObservation, MyState]` and write `reset`, `step` and `state`; a server finds the
    models there. One instance serves one session. It is built, called and closed in one thread; its calls never overlap.
    Raise to refuse an action: the agent gets the message, and the episode must stand where it stood before.

    An environment that waits for I/O may write `reset_async` and `step_async` (or `async def reset` and `step`) instead:
    it is then built and called on the server's event loop, which it must not block.
    """

    SUPPORTS_CONCURRENT_SESSIONS: ClassVar[bool] = False
    """Whether several instances may live in one process at once. True lets a server give every client its own."""

    ISOLATION: ClassVar[str | None] = None
    """How a server keeps instances apart unless told otherwise: `inline`, `thread`, `process`; None is `thread`."""

    def __init__(self, transform: Transform[ObsT] | None = None) -> None:
        self.transform = transform

    @abstractmethod
    def reset(self, seed: int | None = None, episode_id: str | None = None, *args: Any, **options: Any) -> ObsT:
        """Start an episode and return its first observation (`reward` None, `done` False).

        Args:
            seed: decides every random choice of the episode: the same seed and actions give the same observations.
                None asks for a fresh one.
            episode_id: a name for the episode, kept in `state`. None lets the environment choose.
            options: what this environment lets a caller choose for an episode. A subclass writes its own, as named
                parameters, in the place of these two open ones.
        """

    @abstractmethod
    def step(self, action: ActT, timeout_s: float | None = None) -> ObsT:
        """Do one action and return what the agent sees then, with its `reward` and whether the episode is `done`.

        Args:
            action: what to do. Raise a `ValueError` for one that the rules forbid, with the state left unchanged.
            timeout_s: seconds that the caller will wait, for environments that can stop themselves. Optional to declare.
        """

    @property
    @abstractmethod
    def state(self) -> StateT:
        """Where the episode stands: its `episode_id`, its `step_count`, and what else the environment tells."""

    async def reset_async(self, seed: int | None = None, episode_id: str | None = None, *args: Any, **options: Any) -> ObsT:
        """As `reset`, for environments that wait for I/O; by default calls it."""
        return self.reset(seed, episode_id, *args, **options)

    async def step_async(self, action: ActT, timeout_s: float | None = None, **options: Any) -> ObsT:
        """As `step`, for environments that wait for I/O; by default calls it."""
        return self.step(action, timeout_s=timeout_s, **options)

    def close(self) -> None:
        """Let go of what the instance holds; called once, in the thread that built it. May be `async def`."""

    def render(self) -> dict[str, str]:
        """Return a picture of the state as a MIME bundle: `{"text/plain": …, "image/svg+xml": …}`.

        Raises:
            NotImplementedError: the environment has no picture of itself (the default).
        """
        raise NotImplementedError(f"{type(self).__name__} has no render()")

    def get_metadata(self) -> EnvironmentMetadata:
        """Return the environment's name and description; by default from the class and its docstring."""
        return describe(type(self))

    def _apply_transform(self, observation: ObsT) -> ObsT:
        """Run the transform given to the constructor, if any; a subclass calls this on what it returns."""
        transform = getattr(self, "transform", None)
        return observation if transform is None else transform(observation)


def describe(cls: type[Environment[Any, Any, Any]], name: str | None = None) -> EnvironmentMetadata:
    """Return what can be said of an environment from its class alone."""
    written = inspect.cleandoc(cls.__doc__) if cls.__doc__ and cls is not Environment else ""
    first_paragraph = " ".join(written.split("\n\n")[0].split())
    return EnvironmentMetadata(name=name or cls.__name__, description=first_paragraph or f"{cls.__name__} environment")

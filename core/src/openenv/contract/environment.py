"""The class that an environment's author inherits."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, TypeVar

from .models import Action, EnvironmentMetadata, Observation, State
from .reward import checked_kind, checked_range
from .transforms import Transform

if TYPE_CHECKING:
    from .rubric import Rubric

ActT = TypeVar("ActT", bound=Action)
ObsT = TypeVar("ObsT", bound=Observation)
StateT = TypeVar("StateT", bound=State)


class NoEpisodeError(RuntimeError):
    """There is no episode to step in or to draw: none has begun, or it is over. Environments raise it.

    The caller gets its message, as that of a `ValueError`, and nothing is logged: the environment is in order.
    """


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

    REWARD_RANGE: ClassVar[tuple[float | None, float | None] | None] = None
    """The least and the greatest reward of one step, with None for a side without bound; None: not said."""

    REWARD_KIND: ClassVar[Literal["delta", "cumulative"] | None] = None
    """`delta`: a reward is what the step earned, and an episode's return is their sum. `cumulative`: it is what the episode
    has earned so far, and its return is the last one. None: not said."""

    def __init__(self, transform: Transform[ObsT] | None = None, rubric: Rubric | None = None) -> None:
        self.transform = transform
        self.rubric = rubric

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        checked_range(cls.__name__, cls.REWARD_RANGE)
        checked_kind(cls.__name__, cls.REWARD_KIND)

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
            action: what to do.
            timeout_s: seconds that the caller will wait, for environments that can stop themselves. Optional to declare.

        Raises:
            ValueError: the rules forbid the action; the state is left unchanged.
            NoEpisodeError: the environment needs a `reset` first. A server passes on a step that comes before any, as
                callers of environments without episodes make them; one after an episode's end it refuses itself.
        """

    @property
    @abstractmethod
    def state(self) -> StateT:
        """Where the episode stands: its `episode_id`, its `step_count`, and what else the environment tells."""

    async def reset_async(self, seed: int | None = None, episode_id: str | None = None, *args: Any, **options: Any) -> ObsT:
        """As `reset`, for environments that wait for I/O; by default calls it."""
        return self.reset(seed, episode_id, *args, **options)

    async def step_async(self, action: ActT, timeout_s: float | None = None, *args: Any, **options: Any) -> ObsT:
        """As `step`, for environments that wait for I/O; by default calls it."""
        return self.step(action, timeout_s, *args, **options)

    def close(self) -> None:
        """Let go of what the instance holds; called once, in the thread that built it. May be `async def`."""

    def render(self) -> dict[str, str]:
        """Return a picture of the state as a MIME bundle: `{"text/plain": …, "image/svg+xml": …}`.

        Raises:
            NotImplementedError: the environment has no picture of itself (the default).
        """
        raise NotImplementedError(f"{type(self).__name__} has no render()")

    def render_web(self, observation: dict[str, Any]) -> str | None:
        """Draw an observation for the page at `/web`: HTML, or None (the default) to list the fields instead.

        Args:
            observation: plain data, `reward` and `done` included. Text that a player wrote must be escaped.
        """
        return None

    def web_actions(self, observation: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
        """Name the buttons of the page at `/web`: for each its text, and the fields of the action that it does.

        None by default. `observation` is what `render_web` gets.
        """
        return []

    def get_metadata(self) -> EnvironmentMetadata:
        """Return the environment's name and description; by default from the class and its docstring."""
        return describe(type(self))

    def _apply_transform(self, observation: ObsT) -> ObsT:
        """Run the transform given to the constructor, if any; a subclass calls this on what it returns."""
        transform = getattr(self, "transform", None)
        return observation if transform is None else transform(observation)

    def _apply_rubric(self, action: ActT, observation: ObsT) -> float:
        """Return the score of the rubric given to the constructor, or 0.0 without one; a subclass makes it the reward.

        What the rubric's parts gave goes to `observation.metadata["rubric_scores"]`, by path. Blocks for a rubric that
        has to be awaited.

        Raises:
            UsageError: the rubric has to be awaited and this thread runs an event loop: use `_apply_rubric_async`.
        """
        rubric = getattr(self, "rubric", None)
        if rubric is None:
            return 0.0
        from .rubric import components
        from .settling import settled

        with components(rubric, observation):
            score: float = settled(rubric(action, observation), "await self._apply_rubric_async(…) in step_async")
        return score

    async def _apply_rubric_async(self, action: ActT, observation: ObsT) -> float:
        """As `_apply_rubric`, awaiting what has to be awaited."""
        rubric = getattr(self, "rubric", None)
        if rubric is None:
            return 0.0
        from .rubric import components

        with components(rubric, observation):
            score = rubric(action, observation)
            reward: float = await score if inspect.isawaitable(score) else score
        return reward

    def _reset_rubric(self) -> None:
        """Tell the rubric, if any, that an episode begins; a subclass calls this in `reset`."""
        rubric = getattr(self, "rubric", None)
        if rubric is not None:
            from .settling import settled

            settled(rubric.reset(), "await self._reset_rubric_async() in reset_async")

    async def _reset_rubric_async(self) -> None:
        """As `_reset_rubric`, awaiting what has to be awaited."""
        rubric = getattr(self, "rubric", None)
        if rubric is not None and inspect.isawaitable(waiting := rubric.reset()):
            await waiting


def describe(cls: type[Environment[Any, Any, Any]], name: str | None = None) -> EnvironmentMetadata:
    """Return what can be said of an environment from its class alone."""
    written = inspect.cleandoc(cls.__doc__) if cls.__doc__ and cls is not Environment else ""
    first_paragraph = " ".join(written.split("\n\n")[0].split())
    return EnvironmentMetadata(
        name=name or cls.__name__,
        description=first_paragraph or f"{cls.__name__} environment",
        reward_range=checked_range(cls.__name__, getattr(cls, "REWARD_RANGE", None)),
        reward_kind=checked_kind(cls.__name__, getattr(cls, "REWARD_KIND", None)),
    )

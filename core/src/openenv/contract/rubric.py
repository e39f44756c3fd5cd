"""Rewards as objects: a rubric scores an action and what the environment showed after it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from .settling import Steps, settle

Hook = Callable[["Rubric", Any, Any, Any], Any]
PreHook = Callable[["Rubric", Any, Any], Any]

COMPONENTS = "rubric_scores"
"""Where in an observation's `metadata` the scores of a rubric's parts stand, by their paths."""

_recorded: ContextVar[dict[int, Any] | None] = ContextVar("openenv_recorded_scores", default=None)


class Rubric(ABC):
    """Scores one step. Write `forward`; call the rubric itself.

    Rubrics held in attributes are its children, named as the attributes are: a rubric of parts is a tree that can be
    walked, hooked and saved, as modules of neural networks are. `forward` and hooks may be `async def`: then a call gives
    an awaitable.

    Attributes:
        last_score: what the last call gave; None before the first.
    """

    last_score: float | None
    _forward_hooks: list[Hook]
    _forward_pre_hooks: list[PreHook]

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        made = super().__new__(cls)
        made.__dict__.update(last_score=None, _forward_hooks=[], _forward_pre_hooks=[])
        return made

    def __init__(self) -> None:
        super().__init__()

    @abstractmethod
    def forward(self, action: Any, observation: Any) -> float | Awaitable[float]:
        """Return the score of an action and the observation that followed it, by custom from 0 to 1."""

    def __call__(self, action: Any, observation: Any) -> Any:
        """Return what `forward` gives, after the hooks have run; an awaitable of it where something has to be awaited."""
        return settle(self._scoring(action, observation))

    def _scoring(self, action: Any, observation: Any) -> Steps[Any]:
        for before in tuple(self._forward_pre_hooks):
            yield before(self, action, observation)
        score = yield self.forward(action, observation)
        self.last_score = score
        if (recorded := _recorded.get()) is not None:
            recorded[id(self)] = score
        for after in tuple(self._forward_hooks):
            yield after(self, action, observation, score)
        return score

    def register_forward_hook(self, hook: Callable[[Rubric, Any, Any, float], Any]) -> None:
        """Call `hook(rubric, action, observation, score)` after every scoring."""
        self._forward_hooks.append(hook)

    def register_forward_pre_hook(self, hook: Callable[[Rubric, Any, Any], Any]) -> None:
        """Call `hook(rubric, action, observation)` before every scoring."""
        self._forward_pre_hooks.append(hook)

    def named_children(self) -> Iterator[tuple[str, Rubric]]:
        """Yield the rubrics in this one's attributes with their names, in the order they were set."""
        for name, value in vars(self).items():
            if isinstance(value, Rubric):
                yield name, value

    def children(self) -> Iterator[Rubric]:
        """Yield what `named_children` yields, without the names."""
        for _, child in self.named_children():
            yield child

    def named_rubrics(self, prefix: str = "") -> Iterator[tuple[str, Rubric]]:
        """Yield every rubric below this one with its path, such as `format.rubric_0`; a parent before its children."""
        for name, child in self.named_children():
            path = f"{prefix}.{name}" if prefix else name
            yield path, child
            yield from child.named_rubrics(path)

    def rubrics(self) -> Iterator[Rubric]:
        """Yield what `named_rubrics` yields, without the paths."""
        for _, rubric in self.named_rubrics():
            yield rubric

    def get_rubric(self, path: str) -> Rubric:
        """Return the rubric at a path. Raises `KeyError` where there is none."""
        for found, rubric in self.named_rubrics():
            if found == path:
                return rubric
        raise KeyError(f"no rubric at {path!r}; there are: {', '.join(name for name, _ in self.named_rubrics()) or 'none'}")

    def reset(self) -> None:
        """Forget the episode, in this rubric and those below it; called when the environment resets."""
        for child in self.children():
            child.reset()

    def state_dict(self) -> dict[str, Any]:
        """Return the settings of this rubric and, by their paths, of those below it, as plain data."""
        return {f"{name}.{key}": value for name, child in self.named_children() for key, value in child.state_dict().items()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over settings that `state_dict` gave; those that are not there stay, and names unknown here are ignored."""
        for name, child in self.named_children():
            own = _below(state, f"{name}.")
            if own:
                child.load_state_dict(own)


def _below(state: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    return {key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)}


@contextmanager
def components(rubric: Rubric, observation: Any) -> Iterator[None]:
    """Write the scores that the parts of a rubric give meanwhile into `observation.metadata["rubric_scores"]`.

    By path, as in `named_rubrics`. Parts that gave none this time, such as those behind a closed gate, are absent; a rubric
    without parts writes nothing.
    """
    recorded: dict[int, Any] = {}
    token = _recorded.set(recorded)
    try:
        yield
    finally:
        _recorded.reset(token)
    scores = {path: recorded[id(part)] for path, part in rubric.named_rubrics() if id(part) in recorded}
    if scores:
        observation.metadata[COMPONENTS] = scores

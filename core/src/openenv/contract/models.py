"""What travels between an agent and an environment: actions, observations, and the state of an episode."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator
from typing_extensions import Format, get_annotations

from .reward import Reward


class Action(BaseModel):
    """What an agent does in one step; inherit and add fields. Unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", validate_assignment=True, arbitrary_types_allowed=True)

    metadata: dict[str, Any] = Field(default_factory=dict, description="Free notes that travel with the action")


class Observation(BaseModel):
    """What an environment answers to `reset` and `step`; inherit and add fields. Unknown fields are refused.

    `terminated` and `truncated` have Gymnasium's meanings and may stay None, which means "not said". Either being True
    sets `done`; `done` alone leaves both unsaid; `done` with both explicitly False is an error. A subclass that declares
    a field of one of these two names keeps it among its own fields, with its own meaning.
    """

    model_config = ConfigDict(extra="forbid", validate_assignment=True, arbitrary_types_allowed=True)

    done: bool = Field(default=False, description="Whether the episode has ended")
    reward: Reward = Field(default=None, description="Reward of the last action; None after a reset")
    metadata: dict[str, Any] = Field(default_factory=dict, description="Free notes that travel with the observation")
    terminated: bool | None = Field(default=None, description="Whether the task itself ended; None: not said")
    truncated: bool | None = Field(default=None, description="Whether a limit ended the episode; None: not said")

    @model_validator(mode="after")
    def _agree_on_the_end(self) -> Observation:
        if self.terminated is self.truncated is None:
            return self
        own = declared_flags(type(self))
        terminated = None if "terminated" in own else self.terminated
        truncated = None if "truncated" in own else self.truncated
        if terminated or truncated:
            self.__dict__["done"] = True
        elif self.done and terminated is False and truncated is False:
            raise ValueError("done=True contradicts terminated=False and truncated=False")
        return self


_FLAGS = ("terminated", "truncated")
_declared: dict[type, frozenset[str]] = {}


def declared_flags(model: type[BaseModel]) -> frozenset[str]:
    """Return which of `terminated` and `truncated` a model declares itself, as fields with a meaning of their own."""
    own = _declared.get(model)
    if own is None:
        own = frozenset(
            name for name in _FLAGS if any(name in get_annotations(base, format=Format.FORWARDREF) for base in _above(model))
        )
        _declared[model] = own
    return own


def _above(model: type[BaseModel]) -> list[type]:
    """The classes of a model's ancestry that came after `Observation`."""
    return [base for base in model.__mro__ if base not in Observation.__mro__]


class State(BaseModel):
    """Where an episode stands, for people and tools rather than for the agent. Further fields are allowed."""

    model_config = ConfigDict(extra="allow", validate_assignment=True, arbitrary_types_allowed=True)

    episode_id: str | None = Field(default=None, description="Name of the episode")
    step_count: int = Field(default=0, ge=0, description="Steps since the last reset")


def _unsaid(value: Any) -> bool:
    return value is None


class EnvironmentMetadata(BaseModel):
    """What an environment says of itself.

    `reward_range` and `reward_kind` mean what `Environment.REWARD_RANGE` and `REWARD_KIND` do, and travel only where said.
    """

    model_config = ConfigDict(extra="forbid", validate_assignment=True)

    name: str
    description: str
    readme_content: str | None = None
    version: str | None = None
    author: str | None = None
    documentation_url: str | None = None
    reward_range: tuple[float | None, float | None] | None = Field(default=None, exclude_if=_unsaid)
    reward_kind: Literal["delta", "cumulative"] | None = Field(default=None, exclude_if=_unsaid)


class CodeExecResult(BaseModel):
    """What running a program gave."""

    model_config = ConfigDict(extra="forbid", validate_assignment=True)

    stdout: str
    stderr: str
    exit_code: int

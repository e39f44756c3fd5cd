"""Playing an episode by rule, and comparing it with another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from ..contract.result import StepResult
from ..errors import ExecutionError, InvalidActionError
from ..wire.msgpack_codec import MSGPACK
from .subject import Session, Subject
from .verdict import ContractBroken, DoesNotApply

Result = StepResult[dict[str, Any]]
Choose = Callable[[Sequence[dict[str, Any]]], dict[str, Any]]

REFUSALS_IN_A_ROW = 200
"""After so many refused actions no legal one is looked for any more."""

CRASHES = frozenset(
    {
        *("ArithmeticError", "AssertionError", "AttributeError", "BufferError", "EOFError", "ImportError", "IndexError"),
        *("KeyError", "LookupError", "MemoryError", "ModuleNotFoundError", "NameError", "OverflowError", "RecursionError"),
        *("StopIteration", "SystemExit", "TypeError", "UnboundLocalError", "ZeroDivisionError"),
    }
)
"""Exceptions that are no refusal of an action but a fault in the environment."""


@dataclass
class Episode:
    """What was done and seen.

    Attributes:
        first: what `reset` gave.
        actions: the actions that were taken, without those that were refused.
        steps: what each of them gave.
    """

    first: Result
    actions: list[dict[str, Any]] = field(default_factory=list)
    steps: list[Result] = field(default_factory=list)

    @property
    def last(self) -> Result:
        """What was seen last."""
        return self.steps[-1] if self.steps else self.first

    def told(self, subject: Subject) -> list[bytes]:
        """Return what the episode gave as bytes, one entry a call, to compare it with another."""
        return [_bytes(result, subject) for result in (self.first, *self.steps)]


def reset(session: Session, subject: Subject, seed: int | None, **options: Any) -> Result:
    """Begin an episode."""
    given = {**subject.reset_options, **options}
    if seed is not None:
        given["seed"] = seed
    return session.reset(**given)


def play(
    session: Session, subject: Subject, seed: int | None, *, choose: Choose | None = None, longest: int | None = None
) -> Episode:
    """Play an episode with actions that the environment takes, until it ends or has `longest` steps.

    Args:
        choose: picks one of the actions; None picks at random, the same way for the same seed.

    Raises:
        DoesNotApply: no action was found that the environment takes.
    """
    episode = Episode(reset(session, subject, seed))
    pick = choose or Random(seed).choice
    for _ in range(subject.longest if longest is None else longest):
        if episode.last.done or not advance(session, subject, episode, pick):
            break
    return episode


def advance(session: Session, subject: Subject, episode: Episode, pick: Choose) -> bool:
    """Do one action that the environment takes; return False where there is none to choose from any more."""
    choices = subject.choices(episode.last.observation)
    if not choices:
        return False
    for _ in range(REFUSALS_IN_A_ROW):
        action = pick(choices)
        result = step(session, action)
        if result is not None:
            episode.actions.append(action)
            episode.steps.append(result)
            return True
        choices = [other for other in choices if other != action]
        if not choices:
            break
    raise DoesNotApply("no action that the schema allows was taken: say which are legal by `legal`")


def again(session: Session, subject: Subject, seed: int | None, actions: Sequence[dict[str, Any]]) -> Episode:
    """Play an episode with given actions. Raises `ContractBroken` where one is refused."""
    episode = Episode(reset(session, subject, seed), list(actions))
    for action in actions:
        result = step(session, action)
        if result is None:
            raise ContractBroken(f"{action} was taken in one episode and refused in another with the same seed and actions")
        episode.steps.append(result)
    return episode


def step(session: Session, action: dict[str, Any]) -> Result | None:
    """Do an action; return None where the environment refuses it.

    Raises:
        ContractBroken: it failed rather than refuse.
    """
    try:
        return session.step(action)
    except InvalidActionError:
        return None
    except ExecutionError as error:
        kind = error.details.get("error_type")
        if kind in CRASHES:
            raise ContractBroken(f"step({action}) failed with {kind}: raise ValueError to refuse an action: {error}") from None
        return None


def _bytes(result: Result, subject: Subject) -> bytes:
    observation = subject.comparable(result.observation)
    return MSGPACK.dump({"observation": observation, "reward": result.reward, "done": result.done, "metadata": result.metadata})

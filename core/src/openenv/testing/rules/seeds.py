"""What a seed decides."""

from __future__ import annotations

import random
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from ..episode import again, play
from ..subject import Session, Subject
from ..verdict import ContractBroken, DoesNotApply

UNSEEDED, LEAST_ODD = 24, 4
"""Chance plays a part where of so many episodes without a seed so many are unlike the most frequent one."""

SEEDS = 100
"""Where chance plays a part, at most once in 3,000 times do so many seeds happen to make no difference."""


def seeding(subject: Subject) -> None:
    """The same seed and actions give the same episode; where chance plays a part, other seeds give others."""
    with subject.open() as session, subject.open() as another:
        played = play(session, subject, 7)
        for other in (another, session):
            pairs = zip(again(other, subject, 7, played.actions).told(subject), played.told(subject), strict=True)
            at = next((number for number, (then, now) in enumerate(pairs) if then != now), None)
            if at is not None:
                what = "reset()" if at == 0 else f"step {at}"
                raise ContractBroken(f"with the same seed and actions {what} gave something else than before")
        opening = play(session, subject, 0, choose=lambda choices: choices[0], longest=1).actions
        unseeded = Counter(_outcome(another, subject, None, opening) for _ in range(UNSEEDED))
        if UNSEEDED - max(unseeded.values()) < LEAST_ODD:
            return
        first = _outcome(another, subject, 0, opening)
        if all(_outcome(another, subject, seed, opening) == first for seed in range(1, SEEDS)):
            raise ContractBroken(f"without a seed episodes differ, and with {SEEDS} different seeds they are all the same")


def _outcome(session: Session, subject: Subject, seed: int | None, actions: Sequence[dict[str, Any]]) -> tuple[bytes, ...]:
    """Return what an episode of these actions gave, nothing where one of them was refused this time."""
    try:
        return tuple(again(session, subject, seed, actions).told(subject))
    except ContractBroken:
        return ()


def global_randomness(subject: Subject) -> None:
    """It draws from a generator of its own, and leaves those of the whole process alone."""
    if subject.spec.cls.ISOLATION == "process":
        raise DoesNotApply("it lives in a process of its own")
    generators: dict[str, Callable[[], Any]] = {"random": random.getstate}
    if (numpy := sys.modules.get("numpy")) is not None:
        generators["numpy.random"] = lambda: repr(numpy.random.get_state())
    with subject.open() as session:
        play(session, subject, 3, longest=1)
        before = {name: read() for name, read in generators.items()}
        play(session, subject, 3)
        for name, read in generators.items():
            if read() != before[name]:
                raise ContractBroken(f"it draws from {name}'s generator of the whole process: make one of its own in reset()")

"""What a seed decides."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from typing import Any

from ..episode import again, play
from ..subject import Subject
from ..verdict import ContractBroken, DoesNotApply

SEEDS = 8


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
        if _differ(subject, another, [None] * SEEDS) and not _differ(subject, another, list(range(SEEDS))):
            raise ContractBroken(f"without a seed episodes differ, and with {SEEDS} different seeds they are all the same")


def _differ(subject: Subject, session: Any, seeds: list[int | None]) -> bool:
    """Return whether episodes with the same actions differ by their seeds."""
    opening = play(session, subject, seeds[0], choose=lambda choices: choices[0], longest=1)
    told = set()
    for seed in seeds:
        try:
            told.add(tuple(again(session, subject, seed, opening.actions).told(subject)))
        except ContractBroken:
            return True
    return len(told) > 1


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

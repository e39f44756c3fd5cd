"""What became of a rule."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ContractBroken(AssertionError):
    """An environment breaks a rule; the message says what it did and what was due."""


class DoesNotApply(Exception):
    """A rule says nothing about this environment; the message says why."""


class Verdict(StrEnum):
    """What became of a rule; a warning is of what should be mended and breaks nothing."""

    KEPT = "kept"
    BROKEN = "broken"
    SKIPPED = "skipped"
    WARNING = "warning"


@dataclass(frozen=True)
class Finding:
    """One rule and what became of it.

    Attributes:
        rule: its name, `seeding`.
        verdict: whether it was kept.
        told: what was broken or should be mended, or why it was skipped; empty where it was kept.
    """

    rule: str
    verdict: Verdict
    told: str = ""

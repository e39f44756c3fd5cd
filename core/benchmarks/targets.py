"""What the benchmark should show, as ratios within one run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from results import RowResult
from rows import FLOOR, INLINE, PUBLISHED, THREAD

NOT_MEASURED = "not measured"


@dataclass(frozen=True)
class Target:
    """A ratio to be reached.

    Attributes:
        row, key: whose figure.
        side: ours.
        limit: the ratio to `reference`: at least so much where higher is better, else at most.
    """

    row: str
    key: str
    side: str
    limit: float
    reference: str = PUBLISHED


def _both(row: str, key: str, thread: float, inline: float, reference: str = PUBLISHED) -> Iterator[Target]:
    yield Target(row, key, THREAD, thread, reference)
    yield Target(row, key, INLINE, inline, reference)


TARGETS = [
    *_both("async", "steps_per_s", 1.8, 3),
    *_both("sync", "steps_per_s", 1.8, 3),
    *_both("sessions-64", "steps_per_s", 2.5, 5),
    *_both("sessions-64", "p99_ms", 1 / 2, 1 / 5),
    *_both("sessions-512", "steps_per_s", 3, 5),
    *_both("arrays-100k", "steps_per_s", 10, 10),
    *_both("lanes-64", "steps_per_s", 15, 15),
    Target("memory", "idle_mb", THREAD, 0.4),
    Target("install", "install_mb", THREAD, 1 / 6),
    Target("install", "packages", THREAD, 0.3),
    Target("import", "import_s", THREAD, 1 / 6),
    *_both("async", "steps_per_s", 0.3, 0.4, FLOOR),
]


@dataclass(frozen=True)
class Verdict:
    """Whether a target was reached: `met`, `missed`, or `not measured`."""

    target: Target
    unit: str
    higher_is_better: bool
    reached: float | None

    @property
    def word(self) -> str:
        if self.reached is None:
            return NOT_MEASURED
        met = self.reached >= self.target.limit if self.higher_is_better else self.reached <= self.target.limit
        return "met" if met else "missed"

    def as_json(self) -> dict[str, Any]:
        target = self.target
        return {
            "row": target.row,
            "metric": target.key,
            "side": target.side,
            "reference": target.reference,
            "limit": target.limit,
            "at_least": self.higher_is_better,
            "ratio": self.reached,
            "verdict": self.word,
        }


def verdicts(results: list[RowResult]) -> list[Verdict]:
    """Return a verdict for every target whose row was run."""
    found = []
    for target in TARGETS:
        for result in results:
            for metric in result.row.metrics:
                if (result.row.name, metric.key) == (target.row, target.key):
                    ratio = result.ratio(metric, target.side, target.reference)
                    reached = None if ratio is None else ratio.median
                    found.append(Verdict(target, metric.unit, metric.higher_is_better, reached))
    return found

"""What came out: medians, spreads, and ratios of measurements that were made one after the other."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from rows import FLOOR, OURS, PUBLISHED, SIDES, Metric, Row


@dataclass(frozen=True)
class Spread:
    """Several values of one figure, in the order in which they were measured."""

    values: tuple[float, ...]

    @property
    def median(self) -> float:
        return median(self.values)

    @property
    def half_range(self) -> float:
        """Half of what lies between the least and the greatest, as a share of the median."""
        return (max(self.values) - min(self.values)) / 2 / self.median if self.median else 0.0

    def as_json(self) -> dict[str, Any]:
        return {"median": self.median, "minimum": min(self.values), "maximum": max(self.values), "values": list(self.values)}


@dataclass
class RowResult:
    """What one row gave.

    Attributes:
        row: what was measured.
        measured: a list of figures by side, one entry a repeat.
        absent: why a side has none.
        used: what type the content came as, by side.
        errors: what went wrong.
    """

    row: Row
    measured: dict[str, list[dict[str, float]]] = field(default_factory=dict)
    absent: dict[str, str] = field(default_factory=dict)
    used: dict[str, str] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)

    def spread(self, metric: Metric, side: str) -> Spread | None:
        """Return the values of a figure on a side, or None where it has none."""
        values = [figures[metric.key] for figures in self.measured.get(side, []) if metric.key in figures]
        return Spread(tuple(values)) if values else None

    def ratio(self, metric: Metric, side: str, reference: str) -> Spread | None:
        """Return a side's values over a reference's, repeat by repeat, or None where one of them has none."""
        ours, theirs = self.spread(metric, side), self.spread(metric, reference)
        if ours is None or theirs is None:
            return None
        pairs = [(own, other) for own, other in zip(ours.values, theirs.values, strict=False) if own > 0 and other > 0]
        return Spread(tuple(own / other for own, other in pairs)) if pairs else None

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.row.name,
            "title": self.row.title,
            "metrics": [self._metric_as_json(metric) for metric in self.row.metrics],
            "absent": self.absent,
            "used": self.used,
            "errors": self.errors,
        }

    def _metric_as_json(self, metric: Metric) -> dict[str, Any]:
        spreads = {side: self.spread(metric, side) for side in SIDES}
        ratios = {f"{side}/{other}": self.ratio(metric, side, other) for side in OURS for other in (PUBLISHED, FLOOR)}
        return {
            "name": metric.key,
            "unit": metric.unit,
            "better": "higher" if metric.higher_is_better else "lower",
            "sides": _present(spreads.items()),
            "ratios": _present(ratios.items()),
        }


def _present(spreads: Iterable[tuple[str, Spread | None]]) -> dict[str, Any]:
    return {name: spread.as_json() for name, spread in spreads if spread is not None}

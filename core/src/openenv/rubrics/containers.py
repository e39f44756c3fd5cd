"""Rubrics made of rubrics."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from ..contract.rubric import Rubric
from ..contract.settling import Steps, settle, settle_all

WEIGHTS_TOLERANCE = 1e-6


class Sequential(Rubric):
    """Scores with one rubric after the other and gives the last one's score; one that gives 0 ends it with 0.

    What follows a 0 is not called. Without any rubric the score is 1. Children: `rubric_0`, `rubric_1`, …
    """

    def __init__(self, *rubrics: Rubric) -> None:
        super().__init__()
        self._count = _number(self, rubrics)

    def forward(self, action: Any, observation: Any) -> float | Awaitable[float]:
        return settle(self._in_turn(action, observation))

    def _in_turn(self, action: Any, observation: Any) -> Steps[float]:
        score = 1.0
        for rubric in _numbered(self, self._count):
            score = yield rubric(action, observation)
            if score == 0.0:
                break
        return score


class Gate(Rubric):
    """Gives its child's score where that reaches a threshold, and 0 where it does not. Child: `rubric`."""

    def __init__(self, rubric: Rubric, threshold: float = 1.0) -> None:
        super().__init__()
        self.rubric = rubric
        self.threshold = threshold

    def forward(self, action: Any, observation: Any) -> float | Awaitable[float]:
        return settle(self._gated(action, observation))

    def _gated(self, action: Any, observation: Any) -> Steps[float]:
        score: float = yield self.rubric(action, observation)
        return score if score >= self.threshold else 0.0


class WeightedSum(Rubric):
    """Gives the weighted sum of its children's scores; children that have to be awaited are scored side by side.

    Children: `rubric_0`, `rubric_1`, …

    Args:
        weights: one a rubric, adding up to 1.

    Raises:
        ValueError: there are not as many weights as rubrics, or they do not add up to 1.
    """

    def __init__(self, rubrics: Sequence[Rubric], weights: Sequence[float]) -> None:
        super().__init__()
        if len(rubrics) != len(weights):
            raise ValueError(f"there are {len(rubrics)} rubrics, but {len(weights)} weights")
        if not math.isclose(sum(weights), 1.0, rel_tol=0, abs_tol=WEIGHTS_TOLERANCE):
            raise ValueError(f"the weights must sum to 1.0, but give {sum(weights)}")
        self._count = _number(self, rubrics)
        self._weights = list(weights)

    @property
    def weights(self) -> list[float]:
        """A copy of the weights, in the order of the rubrics."""
        return list(self._weights)

    def forward(self, action: Any, observation: Any) -> float | Awaitable[float]:
        return settle(self._summed(action, observation))

    def _summed(self, action: Any, observation: Any) -> Steps[float]:
        scores = yield settle_all(rubric(action, observation) for rubric in _numbered(self, self._count))
        return float(sum(score * weight for score, weight in zip(scores, self._weights, strict=True)))


class RubricList(Rubric):
    """Holds rubrics by number, for a parent that says what to make of their scores. Children: `rubric_0`, `rubric_1`, …"""

    def __init__(self, rubrics: Iterable[Rubric] | None = None) -> None:
        super().__init__()
        self._count = _number(self, rubrics or ())

    def forward(self, action: Any, observation: Any) -> float:
        raise NotImplementedError("a RubricList has no score of its own: call its rubrics from the forward() of their parent")

    def append(self, rubric: Rubric) -> None:
        """Add a rubric at the end."""
        self._count += _number(self, [rubric], start=self._count)

    def extend(self, rubrics: Iterable[Rubric]) -> None:
        """Add rubrics at the end."""
        for rubric in rubrics:
            self.append(rubric)

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> Rubric:
        return _numbered(self, self._count)[index]

    def __iter__(self) -> Iterator[Rubric]:
        return iter(_numbered(self, self._count))

    def __bool__(self) -> bool:
        return True


class RubricDict(Rubric):
    """Holds rubrics by name, for a parent that says what to make of their scores. Children: under their keys."""

    def __init__(self, rubrics: Mapping[str, Rubric] | None = None) -> None:
        super().__init__()
        self._rubrics: dict[str, Rubric] = {}
        self.update(rubrics or {})

    def forward(self, action: Any, observation: Any) -> float:
        raise NotImplementedError("a RubricDict has no score of its own: call its rubrics from the forward() of their parent")

    def named_children(self) -> Iterator[tuple[str, Rubric]]:
        yield from self._rubrics.items()

    def keys(self) -> Iterator[str]:
        """Yield the names."""
        return iter(self._rubrics.keys())

    def values(self) -> Iterator[Rubric]:
        """Yield the rubrics."""
        return iter(self._rubrics.values())

    def items(self) -> Iterator[tuple[str, Rubric]]:
        """Yield pairs of name and rubric."""
        return iter(self._rubrics.items())

    def update(self, rubrics: Mapping[str, Rubric]) -> None:
        """Add rubrics, or put them in the place of those of the same names."""
        for name, rubric in rubrics.items():
            self[name] = rubric

    def __setitem__(self, name: str, rubric: Rubric) -> None:
        self._rubrics[name] = _checked(rubric)

    def __getitem__(self, name: str) -> Rubric:
        return self._rubrics[name]

    def __contains__(self, name: object) -> bool:
        return name in self._rubrics

    def __len__(self) -> int:
        return len(self._rubrics)

    def __iter__(self) -> Iterator[str]:
        return iter(self._rubrics)

    def __bool__(self) -> bool:
        return True


def _number(parent: Rubric, rubrics: Iterable[Rubric], start: int = 0) -> int:
    """Make rubrics the children of a parent, named by their places; returns how many."""
    held = [_checked(rubric) for rubric in rubrics]
    for place, rubric in enumerate(held, start):
        setattr(parent, f"rubric_{place}", rubric)
    return len(held)


def _numbered(parent: Rubric, count: int) -> list[Rubric]:
    return [getattr(parent, f"rubric_{place}") for place in range(count)]


def _checked(rubric: Rubric) -> Rubric:
    if not isinstance(rubric, Rubric):
        raise TypeError(f"a Rubric was expected, not {type(rubric).__name__}")
    return rubric

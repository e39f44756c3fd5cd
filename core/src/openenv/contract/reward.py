"""What an environment says of its rewards."""

from __future__ import annotations

import math
from typing import Any, Literal

from ..errors import UsageError

Range = tuple[float | None, float | None]


def checked_range(owner: str, given: Any) -> Range | None:
    """Return a declared `REWARD_RANGE`, infinite bounds as None. Raises `UsageError` where it is none."""
    if given is None:
        return None
    low, high = (_bound(bound) for bound in given) if isinstance(given, tuple | list) and len(given) == 2 else (math.nan,) * 2
    if any(bound is not None and math.isnan(bound) for bound in (low, high)) or (None not in (low, high) and low > high):
        raise UsageError(f"{owner}.REWARD_RANGE must be (least, greatest), None for a side without bound, not {given!r}")
    return low, high


def _bound(bound: Any) -> Any:
    if bound is None:
        return None
    if isinstance(bound, bool) or not isinstance(bound, int | float):
        return math.nan
    return None if math.isinf(bound) else float(bound)


def checked_kind(owner: str, given: Any) -> Literal["delta", "cumulative"] | None:
    """Return a declared `REWARD_KIND`. Raises `UsageError` where it is none."""
    if given not in ("delta", "cumulative", None):
        raise UsageError(f"{owner}.REWARD_KIND must be 'delta' or 'cumulative', not {given!r}")
    kind: Literal["delta", "cumulative"] | None = given
    return kind

"""Where a curve bends."""

from __future__ import annotations

from math import exp, log

Curve = dict[int, float]
"""A figure by size, from the least size to the greatest."""

NEARLY_ALL = 0.9
"""A share of the most that counts as having reached it."""

MUCH = 2.0
"""A tail so many times above what is in proportion has left it."""


def levels_off(rate: Curve) -> int | None:
    """Return the least size that reaches nearly all of the greatest rate: more gives no more. None: there is no curve."""
    return min((size for size, found in rate.items() if found >= NEARLY_ALL * max(rate.values())), default=None)


def leaves_proportion(latency: Curve, start: int) -> int | None:
    """Return the least size beyond `start` whose latency is above twice what is in proportion to that at `start`.

    Where sessions share what is used up already, each waits in proportion to their number, and no system can do better.
    """
    if start not in latency:
        return None
    each = latency[start] / start
    return min((size for size, found in latency.items() if size > start and found > MUCH * each * size), default=None)


def halves(rate: Curve) -> float | None:
    """Return the size at which the rate has fallen to half of the greatest one, between sizes on a logarithmic scale.

    There a step spends as long on its content as on everything else. None: it does not fall so far.
    """
    sizes = list(rate)
    if not sizes:
        return None
    half = max(rate.values()) / 2
    fallen = len(sizes)
    while fallen > 0 and rate[sizes[fallen - 1]] <= half:
        fallen -= 1
    if fallen in (0, len(sizes)):
        return None
    below, above = sizes[fallen - 1], sizes[fallen]
    share = log(rate[below] / half) / log(rate[below] / rate[above])
    return exp(log(below) + share * log(above / below))

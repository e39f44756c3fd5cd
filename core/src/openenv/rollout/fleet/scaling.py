"""How many servers a fleet wants."""

from __future__ import annotations

import math
from collections import deque

from .settings import Bounds


class Scaling:
    """Wants more servers as soon as the load asks for them, and fewer once it has not for a while.

    Args:
        bounds: between which.
        target_load: the share of a server's slots that is to be taken.
        calm_s: for how long fewer must have been enough.
    """

    def __init__(self, bounds: Bounds, target_load: float, calm_s: float) -> None:
        self._target_load = target_load
        self._calm_s = calm_s
        self.set(bounds)

    def set(self, bounds: Bounds) -> None:
        """Keep between other bounds from now on."""
        self.bounds = bounds
        self._highest: deque[tuple[float, int]] = deque()

    def wanted(self, demand: int, slots_each: int | None, now_s: float) -> int:
        """Return how many servers there should be.

        Args:
            demand: slots that are taken or waited for.
            slots_each: that a server has; None where it is not known yet.
            now_s: the time.
        """
        least, most = self.bounds
        needed = least if slots_each is None else math.ceil(min(most, demand / (slots_each * self._target_load)))
        needed = max(least, needed)
        highest = self._highest
        while highest and highest[-1][1] <= needed:
            highest.pop()
        highest.append((now_s, needed))
        while highest[0][0] < now_s - self._calm_s and len(highest) > 1:
            highest.popleft()
        return highest[0][1]

"""When a server may be started again after others have failed."""

from __future__ import annotations

import random
import time

from ...errors import LaunchError
from .settings import FleetSettings


class Restarts:
    """Puts off starts after those that failed, for longer each time, and gives up after several in a row.

    Before any server has ever been up, a start that failed is not tried again: what is wrong is most likely wrong for all.

    Args:
        settings: times and limits.

    Attributes:
        given_up: why no further start is tried; None where they are.
    """

    def __init__(self, settings: FleetSettings) -> None:
        self._settings = settings
        self._proven = False
        self.hope_again()

    def hope_again(self) -> None:
        """Forget what failed."""
        self.given_up: BaseException | None = None
        self._failures = 0
        self._failed_s = self._not_before_s = 0.0

    def allowed(self, now_s: float) -> int:
        """Return how many servers may be starting now."""
        if self.given_up is not None or now_s < self._not_before_s:
            return 0
        if not self._failures:
            return self._settings.starts_at_once
        return 1 if self._proven else 0

    def came_up(self) -> None:
        """Note that a server is up."""
        self._proven = True

    def settled(self) -> None:
        """Note that a server has run for long enough for its start to count as a success."""
        self._failures = 0

    def died(self) -> None:
        """Note that a server ended which had settled: its place may be filled again, whatever failed before."""
        if self.given_up is not None:
            self.hope_again()

    def failed(self, begun_s: float, error: BaseException, *, others_start: bool) -> bool:
        """Note that a server did not start, or ended before it had settled; return whether that makes it too many.

        Of starts that went on at the same time, the failure of only one counts.

        Args:
            begun_s: when the start began.
            error: what went wrong.
            others_start: whether other servers are starting.
        """
        if not self._proven:
            self._failures = 1
            self.given_up = None if others_start else error
            return False
        if begun_s < self._failed_s or self.given_up is not None:
            return False
        self._failures += 1
        self._failed_s = time.monotonic()
        self._not_before_s = self._failed_s + self._settings.backoff_s(self._failures) * random.uniform(0.75, 1.25)
        if self._failures < self._settings.start_attempts:
            return False
        why = f"{self._failures} servers in a row did not start or ended at once, so no further one is tried"
        self.given_up = LaunchError(f"{why}; the last: {error}")
        return True

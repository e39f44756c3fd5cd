"""What a user may set of a fleet's patience."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, NamedTuple, Self

from ...errors import UsageError


@dataclass(frozen=True)
class FleetSettings:
    """Times and limits of a fleet; each is an option of `Fleet`.

    Attributes:
        queue_timeout_s: how long a session waits for a free slot, in the order of asking, before `CapacityReached`. Default 60.
        target_load: the share of all slots that may be taken before a fleet with bounds grows, at most 1. Default 0.8.
        calm_s: how long fewer servers must be enough before such a fleet shrinks. Default 60.
        drain_timeout_s: how long a server that is no longer wanted waits for its episodes to end before it is stopped.
            Default 300.
        health_interval_s: pause between two `GET /health` of a server. Default 1.
        health_timeout_s: a server that has given no good answer for so long counts as dead. After the first answer that is not
            good it gets no new sessions until the next good one. Default 30, for a machine may be busy.
        starts_at_once: servers that start at the same time. Default 8.
        start_attempts: starts in a row that may fail before no further one is tried. A server that ends sooner than
            `settled_after_s` counts as a start that failed. Default 5.
        settled_after_s: how long a server must have run for its start to count as a success. Default 10.
        first_backoff_s, longest_backoff_s: pause after the first start that failed, which doubles with each in a row, up to the
            longest. Defaults 0.5 and 30.
        close_timeout_s: how long `close` waits for servers to stop; those that take longer are logged and left. Default 30.
    """

    queue_timeout_s: float = 60.0
    target_load: float = 0.8
    calm_s: float = 60.0
    drain_timeout_s: float = 300.0
    health_interval_s: float = 1.0
    health_timeout_s: float = 30.0
    starts_at_once: int = 8
    start_attempts: int = 5
    settled_after_s: float = 10.0
    first_backoff_s: float = 0.5
    longest_backoff_s: float = 30.0
    close_timeout_s: float = 30.0

    @classmethod
    def read(cls, given: Mapping[str, Any]) -> Self:
        """Return the settings that a caller named. Raises `UsageError` for one that there is not, or that cannot be."""
        known = [field.name for field in fields(cls)]
        if unknown := sorted(given.keys() - set(known)):
            raise UsageError(f"a fleet takes no {', '.join(unknown)}: it takes {', '.join(sorted(known))}")
        chosen = cls(**given)
        for name in known:
            value = getattr(chosen, name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
                raise UsageError(f"{name} must be a number above 0, but is {value!r}")
        for name in ("starts_at_once", "start_attempts"):
            if not isinstance(getattr(chosen, name), int):
                raise UsageError(f"{name} must be a whole number, but is {getattr(chosen, name)!r}")
        if chosen.target_load > 1:
            raise UsageError(f"target_load is a share of the slots, at most 1, not {chosen.target_load}")
        return chosen

    def backoff_s(self, failures: int) -> float:
        """Return the pause after so many starts in a row that failed."""
        return min(self.first_backoff_s * 2.0 ** min(failures - 1, 32), self.longest_backoff_s)


class Bounds(NamedTuple):
    """How many servers there are at least and at most."""

    least: int
    most: int

    @classmethod
    def read(cls, servers: int | None, least: int | None, most: int | None) -> Bounds:
        """Return the bounds that a caller named: a number, or a least and a most. Raises `UsageError`."""
        if servers is not None and (least is not None or most is not None):
            raise UsageError("say how many servers, or between which bounds, not both")
        if servers is None and most is None:
            raise UsageError("say how many: servers=4, or min_servers=1 and max_servers=8")
        bounds = cls(servers, servers) if servers is not None else cls(1 if least is None else least, most or 0)
        for number in bounds:
            if type(number) is not int or number < 1:
                raise UsageError(f"a number of servers is a whole number above 0, not {number!r}")
        if bounds.least > bounds.most:
            raise UsageError(f"min_servers={bounds.least} is more than max_servers={bounds.most}")
        return bounds

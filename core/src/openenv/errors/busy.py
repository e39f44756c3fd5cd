"""Servers without room now."""

from __future__ import annotations

from typing import Any

from .error import OpenEnvError, detail


class BusyError(OpenEnvError):
    """No room now; `retry_after_s` says how long to wait."""

    retryable = True

    @property
    def retry_after_s(self) -> float | None:
        """Seconds after which another try makes sense, or None where the server did not say."""
        wait: float | None = self.details.get("retry_after_s")
        return wait


class SessionCapacityError(BusyError):
    """The published name for `CapacityReached`, which is one; catch either."""

    def __init__(self, active_sessions: int, max_sessions: int, message: str | None = None) -> None:
        told = f"all {max_sessions} sessions of this server are in use"
        super().__init__(message or told, active_sessions=active_sessions, max_sessions=max_sessions)

    active_sessions = property(detail("active_sessions"))
    max_sessions = property(detail("max_sessions"))


class CapacityReached(SessionCapacityError):
    """Every slot is taken and stayed so while the caller queued."""

    code = "CAPACITY_REACHED"

    def __init__(self, message: str, **details: Any) -> None:
        OpenEnvError.__init__(self, message, **details)


class RateLimited(BusyError):
    """The caller sends more than it may."""

    code = "RATE_LIMITED"


class ShuttingDown(BusyError):
    """The server takes no new work because it is about to stop."""

    code = "SHUTTING_DOWN"

"""Sessions and calls that cannot go on."""

from __future__ import annotations

from typing import Any

from .error import OpenEnvError, detail


class SessionCreationError(OpenEnvError):
    """The published name for `SessionError`, which is one; catch either."""

    def __init__(self, reason: str, message: str | None = None) -> None:
        super().__init__(message or f"no session could be opened: {reason}", reason=reason)

    reason = property(detail("reason"))


class SessionError(SessionCreationError):
    """The session cannot take this call as things stand."""

    code = "SESSION_ERROR"

    def __init__(self, message: str, **details: Any) -> None:
        OpenEnvError.__init__(self, message, **details)


class SessionNotFoundError(OpenEnvError):
    """The published name for `SessionLost`, which is one; catch either."""

    def __init__(self, session_id: str, message: str | None = None) -> None:
        super().__init__(message or f"there is no session {session_id!r}", session_id=session_id)

    session_id = property(detail("session_id"))


class SessionLost(SessionError, SessionNotFoundError):
    """The session is gone and its episode with it; `reset()` starts another."""

    code = "SESSION_UNKNOWN"


class SessionStuck(SessionError):
    """An earlier call never finished, so the episode's state is unknown; `reset()` starts afresh."""

    code = "SESSION_STUCK"


class StepTimeout(OpenEnvError, TimeoutError):
    """A call took longer than it was given; no observation and no reward came of it."""

    code = "TIMEOUT"


class CallCancelled(OpenEnvError):
    """A call was given up before its result came."""

    code = "CANCELLED"

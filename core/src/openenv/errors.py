"""Everything that openenv raises on purpose.

    OpenEnvError                    code                 again?
    ├── UsageError                  (a mistake in the calling program)
    │   ├── NotAwaitedError         (an attribute of a result that was never awaited)
    │   └── MissingExtra            (an optional dependency is not installed)
    ├── RequestError                (the request was refused; nothing ran, the session goes on)
    │   ├── InvalidMessageError     INVALID_JSON
    │   ├── UnknownMessageTypeError UNKNOWN_TYPE
    │   ├── InvalidActionError      VALIDATION_ERROR
    │   ├── NotSupportedError       NOT_SUPPORTED
    │   └── UnauthorizedError       UNAUTHORIZED
    ├── EnvironmentFailure          (the environment's own code failed)
    │   ├── ExecutionError          EXECUTION_ERROR
    │   ├── FactoryError            FACTORY_ERROR
    │   ├── EnvironmentCrashed      ENVIRONMENT_CRASHED
    │   └── HarnessError            (an agent's harness failed in its turn)
    │       ├── HarnessStartupError
    │       ├── HarnessNotRunningError
    │       └── HarnessTurnTimeoutError
    ├── SessionError                SESSION_ERROR
    │   ├── SessionLost             SESSION_UNKNOWN
    │   └── SessionStuck            SESSION_STUCK
    ├── StepTimeout                 TIMEOUT
    ├── CallCancelled               CANCELLED
    ├── BusyError                   (no room now)
    │   ├── CapacityReached         CAPACITY_REACHED     yes
    │   ├── RateLimited             RATE_LIMITED         yes
    │   └── ShuttingDown            SHUTTING_DOWN        yes
    ├── ServerError                 (the server is not to be had)
    │   ├── ConnectError                                 yes
    │   └── LaunchError
    ├── ModelError                  (a language model gave no usable answer)
    │   ├── ModelUnavailable                             yes
    │   └── BudgetSpent
    └── PublishError                (an image or a Space was not made, or not made public)

"yes" marks what is worth the same call again after a pause: nothing has happened to the episode. After every other
error the same call fails the same way until something changes: the action, or a `reset()`. The classes say so
themselves in `retryable`. All are `RuntimeError`s, so that handlers written for older versions go on working; so do those
that name `SessionCapacityError`, `SessionNotFoundError`, `SessionCreationError`, `EnvironmentFactoryError` or
`ConcurrencyConfigurationError`: what is raised here is one of them too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar


class OpenEnvError(RuntimeError):
    """Base of all errors of this package.

    Attributes:
        code: the error's code on the wire, or None for what never travels.
        retryable: whether the same call may succeed later with nothing else changed.
        details: what the sender added to the message (validation errors, exit codes, …).
    """

    code: ClassVar[str | None] = None
    retryable: ClassVar[bool] = False

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self.details = details

    def __reduce__(self) -> tuple[Any, ...]:
        return (_rebuild, (type(self), self.message, self.details))


def _rebuild(kind: type[OpenEnvError], message: str, details: dict[str, Any]) -> OpenEnvError:
    if kind.__init__ is OpenEnvError.__init__:
        return kind(message, **details)
    builtin: Any = kind
    while issubclass(builtin, OpenEnvError):
        builtin = builtin.__base__  # the one that lays the object out: of several, `kind.__new__` may find another's
    error: OpenEnvError = builtin.__new__(kind)
    OpenEnvError.__init__(error, message, **details)
    return error


def _detail(name: str) -> Callable[[OpenEnvError], Any]:
    """Return what reads one of an error's details, None where the sender did not tell it."""
    return lambda error: error.details.get(name)


class UsageError(OpenEnvError, ValueError):
    """The calling program uses the interface in a way that cannot work; the message says what to do instead."""


class ConcurrencyConfigurationError(UsageError):
    """More sessions are asked for than an environment can have at once."""

    def __init__(self, environment_name: str, max_concurrent_envs: int, message: str | None = None) -> None:
        told = (
            f"max_concurrent_envs={max_concurrent_envs}, but {environment_name} does not declare "
            "SUPPORTS_CONCURRENT_SESSIONS = True: it can serve one session at a time, or several with isolation='process'"
        )
        super().__init__(message or told, environment_name=environment_name, max_concurrent_envs=max_concurrent_envs)

    environment_name = property(_detail("environment_name"))
    max_concurrent_envs = property(_detail("max_concurrent_envs"))


class NotAwaitedError(UsageError, AttributeError):
    """An attribute was read from a call that nobody has awaited yet."""


class MissingExtra(UsageError, ImportError):
    """What is asked for needs an optional dependency that is not installed; the message says what to install."""


class RequestError(OpenEnvError):
    """The server refused a request before anything ran; the session goes on."""


class InvalidMessageError(RequestError):
    """What arrived is not a message at all."""

    code = "INVALID_JSON"


class UnknownMessageTypeError(RequestError):
    """A message of a type that the server does not know."""

    code = "UNKNOWN_TYPE"


class InvalidActionError(RequestError, ValueError):
    """An action or an argument does not fit its model; `errors` lists each place."""

    code = "VALIDATION_ERROR"

    @property
    def errors(self) -> list[dict[str, Any]]:
        """The places that do not fit: dicts with `type`, `loc` and `msg`, as pydantic words them."""
        found: list[dict[str, Any]] = self.details.get("errors", [])
        return found


class NotSupportedError(RequestError):
    """The environment or the server cannot do this at all."""

    code = "NOT_SUPPORTED"


class UnauthorizedError(RequestError):
    """The server wants credentials that the request did not carry."""

    code = "UNAUTHORIZED"


class EnvironmentFailure(OpenEnvError):
    """The environment's own code failed; no observation and no reward came of it."""


class ExecutionError(EnvironmentFailure):
    """The environment raised; the episode stands where the environment left it."""

    code = "EXECUTION_ERROR"


class EnvironmentFactoryError(EnvironmentFailure):
    """The published name for `FactoryError`, which is one; catch either."""

    def __init__(self, factory_name: str, message: str | None = None) -> None:
        super().__init__(message or f"{factory_name} could not be built", factory_name=factory_name)

    factory_name = property(_detail("factory_name"))


class FactoryError(EnvironmentFactoryError):
    """The environment could not be built."""

    code = "FACTORY_ERROR"

    def __init__(self, message: str, **details: Any) -> None:
        OpenEnvError.__init__(self, message, **details)


class EnvironmentCrashed(EnvironmentFailure):
    """The process of the environment ended; `reset()` starts another."""

    code = "ENVIRONMENT_CRASHED"


class HarnessError(EnvironmentFailure):
    """The harness of an agent failed; no observation and no reward came of it."""


class HarnessStartupError(HarnessError):
    """The harness did not start, or was not ready in time."""


class HarnessNotRunningError(HarnessError):
    """The harness is not running: it ended by itself, or nothing has started it yet."""


class HarnessTurnTimeoutError(HarnessError, TimeoutError):
    """The harness took longer over its turn than it was given."""


class SessionCreationError(OpenEnvError):
    """The published name for `SessionError`, which is one; catch either."""

    def __init__(self, reason: str, message: str | None = None) -> None:
        super().__init__(message or f"no session could be opened: {reason}", reason=reason)

    reason = property(_detail("reason"))


class SessionError(SessionCreationError):
    """The session cannot take this call as things stand."""

    code = "SESSION_ERROR"

    def __init__(self, message: str, **details: Any) -> None:
        OpenEnvError.__init__(self, message, **details)


class SessionNotFoundError(OpenEnvError):
    """The published name for `SessionLost`, which is one; catch either."""

    def __init__(self, session_id: str, message: str | None = None) -> None:
        super().__init__(message or f"there is no session {session_id!r}", session_id=session_id)

    session_id = property(_detail("session_id"))


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

    active_sessions = property(_detail("active_sessions"))
    max_sessions = property(_detail("max_sessions"))


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


class ServerError(OpenEnvError, ConnectionError):
    """The server is not to be had."""


class ConnectError(ServerError):
    """No server answered at the address."""

    retryable = True


class LaunchError(ServerError):
    """A server was started here and did not come up; the message carries its last lines of output."""


class ModelError(OpenEnvError):
    """A language model gave no usable answer: its endpoint refused the request, or its reply cannot be read."""


class ModelUnavailable(ModelError):
    """A model's endpoint did not answer, or cannot now; `retry_after_s` says how long to wait."""

    retryable = True

    @property
    def retry_after_s(self) -> float | None:
        """Seconds after which another try makes sense, or None where the endpoint did not say."""
        wait: float | None = self.details.get("retry_after_s")
        return wait


class BudgetSpent(ModelError):
    """No further question may be asked of a model, by the limit that its user set."""


class PublishError(OpenEnvError):
    """An image was not built, or an image or a Space was not pushed; the message says what is there all the same."""


def _by_code(kind: type[OpenEnvError]) -> dict[str, type[OpenEnvError]]:
    found = {} if kind.code is None else {kind.code: kind}
    for child in kind.__subclasses__():
        found.update(_by_code(child))
    return found


_CLASSES = _by_code(OpenEnvError)


def from_code(code: str, message: str, **details: Any) -> OpenEnvError:
    """Return the error that a code on the wire stands for; an unknown code gives a plain `OpenEnvError`."""
    kind = _CLASSES.get(code)
    if kind is None:
        return OpenEnvError(f"{code}: {message}", **details)
    return kind(message, **details)


def codes() -> dict[str, type[OpenEnvError]]:
    """Return every code of the wire with its class."""
    return dict(_CLASSES)

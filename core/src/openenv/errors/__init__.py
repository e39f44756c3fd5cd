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

from .busy import BusyError, CapacityReached, RateLimited, SessionCapacityError, ShuttingDown
from .environment import EnvironmentCrashed, EnvironmentFactoryError, EnvironmentFailure, ExecutionError, FactoryError
from .error import OpenEnvError
from .harness import HarnessError, HarnessNotRunningError, HarnessStartupError, HarnessTurnTimeoutError
from .model import BudgetSpent, ModelError, ModelUnavailable
from .publishing import PublishError
from .request import (
    InvalidActionError,
    InvalidMessageError,
    NotSupportedError,
    RequestError,
    UnauthorizedError,
    UnknownMessageTypeError,
)
from .server import ConnectError, LaunchError, ServerError
from .session import (
    CallCancelled,
    SessionCreationError,
    SessionError,
    SessionLost,
    SessionNotFoundError,
    SessionStuck,
    StepTimeout,
)
from .usage import ConcurrencyConfigurationError, MissingExtra, NotAwaitedError, UsageError
from .wire_codes import codes, from_code

__all__ = [
    "BudgetSpent",
    "BusyError",
    "CallCancelled",
    "CapacityReached",
    "ConcurrencyConfigurationError",
    "ConnectError",
    "EnvironmentCrashed",
    "EnvironmentFactoryError",
    "EnvironmentFailure",
    "ExecutionError",
    "FactoryError",
    "HarnessError",
    "HarnessNotRunningError",
    "HarnessStartupError",
    "HarnessTurnTimeoutError",
    "InvalidActionError",
    "InvalidMessageError",
    "LaunchError",
    "MissingExtra",
    "ModelError",
    "ModelUnavailable",
    "NotAwaitedError",
    "NotSupportedError",
    "OpenEnvError",
    "PublishError",
    "RateLimited",
    "RequestError",
    "ServerError",
    "SessionCapacityError",
    "SessionCreationError",
    "SessionError",
    "SessionLost",
    "SessionNotFoundError",
    "SessionStuck",
    "ShuttingDown",
    "StepTimeout",
    "UnauthorizedError",
    "UnknownMessageTypeError",
    "UsageError",
    "codes",
    "from_code",
]

for _name in __all__:  # tracebacks and pickles name them by the path that callers import
    globals()[_name].__module__ = __name__

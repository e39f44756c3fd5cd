"""Mistakes in the calling program."""

from __future__ import annotations

from .error import OpenEnvError, detail


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

    environment_name = property(detail("environment_name"))
    max_concurrent_envs = property(detail("max_concurrent_envs"))


class NotAwaitedError(UsageError, AttributeError):
    """An attribute was read from a call that nobody has awaited yet."""


class MissingExtra(UsageError, ImportError):
    """What is asked for needs an optional dependency that is not installed; the message says what to install."""

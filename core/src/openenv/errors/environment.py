"""Failures of an environment's own code."""

from __future__ import annotations

from typing import Any

from .error import OpenEnvError, detail


class EnvironmentFailure(OpenEnvError):
    """The environment's own code failed; no observation and no reward came of it."""


class ExecutionError(EnvironmentFailure):
    """The environment raised; the episode stands where the environment left it."""

    code = "EXECUTION_ERROR"


class EnvironmentFactoryError(EnvironmentFailure):
    """The published name for `FactoryError`, which is one; catch either."""

    def __init__(self, factory_name: str, message: str | None = None) -> None:
        super().__init__(message or f"{factory_name} could not be built", factory_name=factory_name)

    factory_name = property(detail("factory_name"))


class FactoryError(EnvironmentFactoryError):
    """The environment could not be built."""

    code = "FACTORY_ERROR"

    def __init__(self, message: str, **details: Any) -> None:
        OpenEnvError.__init__(self, message, **details)


class EnvironmentCrashed(EnvironmentFailure):
    """The process of the environment ended; `reset()` starts another."""

    code = "ENVIRONMENT_CRASHED"

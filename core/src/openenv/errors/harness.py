"""Failures of an agent's harness."""

from __future__ import annotations

from .environment import EnvironmentFailure


class HarnessError(EnvironmentFailure):
    """The harness of an agent failed; no observation and no reward came of it."""


class HarnessStartupError(HarnessError):
    """The harness did not start, or was not ready in time."""


class HarnessNotRunningError(HarnessError):
    """The harness is not running: it ended by itself, or nothing has started it yet."""


class HarnessTurnTimeoutError(HarnessError, TimeoutError):
    """The harness took longer over its turn than it was given."""

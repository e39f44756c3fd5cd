"""Servers that are not to be had."""

from __future__ import annotations

from .error import OpenEnvError


class ServerError(OpenEnvError, ConnectionError):
    """The server is not to be had."""


class ConnectError(ServerError):
    """No server answered at the address."""

    retryable = True


class LaunchError(ServerError):
    """A server was started here and did not come up; the message carries its last lines of output."""

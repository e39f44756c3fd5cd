"""Requests that were refused."""

from __future__ import annotations

from typing import Any

from .error import OpenEnvError


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

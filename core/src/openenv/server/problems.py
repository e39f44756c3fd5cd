"""Errors as HTTP replies: RFC 9457 problem documents."""

from __future__ import annotations

import math

import pydantic_core
from starlette.responses import Response

from ..errors import BusyError, OpenEnvError

_STATUS = {
    "INVALID_JSON": 422,
    "UNKNOWN_TYPE": 400,
    "VALIDATION_ERROR": 422,
    "EXECUTION_ERROR": 500,
    "FACTORY_ERROR": 500,
    "ENVIRONMENT_CRASHED": 500,
    "SESSION_ERROR": 409,
    "SESSION_STUCK": 409,
    "SESSION_UNKNOWN": 404,
    "TIMEOUT": 504,
    "CANCELLED": 409,
    "CAPACITY_REACHED": 503,
    "SHUTTING_DOWN": 503,
    "RATE_LIMITED": 429,
    "NOT_SUPPORTED": 501,
    "UNAUTHORIZED": 401,
}
_TITLES = {
    400: "Bad request",
    401: "Not authorized",
    403: "Forbidden",
    404: "Not found",
    409: "Not possible now",
    413: "Too long",
    422: "Does not fit",
    429: "Too many requests",
    500: "The environment failed",
    501: "Not supported",
    503: "No room now",
    504: "Took too long",
}


def status_of(code: str) -> int:
    """Return the HTTP status of an error's code."""
    return _STATUS.get(code, 500)


def problem(error: OpenEnvError, status: int | None = None) -> Response:
    """Return the reply for an error: `type`, `title`, `status`, `detail`, the wire's `code`, and the error's details."""
    code = error.code or "EXECUTION_ERROR"
    status = status or status_of(code)
    content = {
        "type": "about:blank",
        "title": _TITLES.get(status, "Error"),
        "status": status,
        "detail": error.message,
        "code": code,
        **error.details,
    }
    headers = {}
    if isinstance(error, BusyError) and error.retry_after_s is not None:
        headers["Retry-After"] = str(math.ceil(error.retry_after_s))
    body = pydantic_core.to_json(content, inf_nan_mode="null", serialize_unknown=True)
    return Response(body, status, headers, media_type="application/problem+json")

"""Version 1 of the socket protocol: one JSON object a frame, strictly request and reply."""

from __future__ import annotations

from typing import Any

import pydantic_core

from ..errors import InvalidActionError, InvalidMessageError, OpenEnvError, SessionError, UnknownMessageTypeError
from . import messages
from .messages import Request
from .values import error_data, read_error


def read_request(frame: str | bytes) -> Request:
    """Return what a client asks for.

    Raises:
        InvalidMessageError: the frame is not a JSON object.
        UnknownMessageTypeError: its type is none of version 1.
        InvalidActionError: the type is right and what comes with it is not.
    """
    message = _read_object(frame)
    kind = message.get("type")
    if not isinstance(kind, str) or kind not in messages.V1_REQUESTS:
        known = ", ".join(sorted(messages.V1_REQUESTS))
        raise UnknownMessageTypeError(f"unknown message type {kind!r}; this server takes {known}")
    takes_data = kind in (messages.STEP, messages.RESET, messages.MCP)
    unknown = message.keys() - ({"type", "data"} if takes_data else {"type"})
    if unknown:
        told = f"a {kind} message has no {', '.join(sorted(map(repr, unknown)))}"
        raise _misfit(told, *(("extra_forbidden", name, message[name]) for name in sorted(unknown)))
    if not takes_data:
        return Request(kind)
    data = message.get("data", {} if kind == messages.RESET else None)
    if not isinstance(data, dict):
        told = f"a {kind} message needs 'data' to be an object, not {_json_name(data)}"
        raise _misfit(told, ("dict_type", "data", data) if "data" in message else ("missing", "data", message))
    return Request(kind, data)


def _misfit(told: str, *places: tuple[str, str, Any]) -> InvalidActionError:
    """Return the error of a message whose fields are wrong; `errors` lists each, as for an action that does not fit."""
    errors = [{"type": kind, "loc": [name], "msg": told, "input": given} for kind, name, given in places]
    return InvalidActionError(told, errors=errors)


def _read_object(frame: str | bytes) -> dict[str, Any]:
    try:
        message = pydantic_core.from_json(frame)
    except ValueError as error:
        raise InvalidMessageError(f"Invalid JSON: {error}") from None
    if not isinstance(message, dict):
        raise InvalidMessageError(f"Invalid JSON: a message is an object, not {_json_name(message)}")
    return message


def _json_name(value: Any) -> str:
    names = {dict: "an object", list: "a list", str: "text", bool: "a boolean", type(None): "null"}
    return names.get(type(value), "a number")


def reply(kind: str, data: bytes) -> bytes:
    """Return the frame of a reply whose `data` is encoded already."""
    return b'{"type":"%s","data":%s}' % (kind.encode(), data)


def error_reply(error: OpenEnvError) -> bytes:
    """Return the frame that tells of an error."""
    return reply(messages.ERROR, error_data(error))


def request(kind: str, data: bytes | None = None) -> bytes:
    """Return the frame of a request whose `data` is encoded already."""
    return b'{"type":"%s"}' % kind.encode() if data is None else b'{"type":"%s","data":%s}' % (kind.encode(), data)


def read_reply(frame: str | bytes, expected: str) -> dict[str, Any]:
    """Return the `data` of a reply.

    Raises:
        OpenEnvError: the class of the error that the server sent.
        SessionError: the reply is of another type than `expected`.
    """
    message = _read_object(frame)
    kind, data = message.get("type"), message.get("data")
    if kind == expected and isinstance(data, dict):
        return data
    if kind == messages.ERROR:
        raise read_error(data)
    raise SessionError(f"the server answered with {kind!r} where {expected!r} was due")


def error_in(frame: str | bytes) -> OpenEnvError | None:
    """Return the error that a reply tells of, or None where it tells of none."""
    message = _read_object(frame)
    return read_error(message.get("data")) if message.get("type") == messages.ERROR else None

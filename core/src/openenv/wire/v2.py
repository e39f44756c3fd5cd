"""Version 2 of the socket protocol: numbered messages, in JSON or in msgpack.

Shapes are those of version 1 with an `id` beside `type` and `data`. What an environment returned is encoded where it ran
(`Codec.encode`), and its bytes are put into a message as they are.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from ..errors import InvalidActionError, InvalidMessageError, OpenEnvError, UnknownMessageTypeError
from . import messages
from .codec import Codec
from .json_codec import JSON
from .messages import Request
from .msgpack_codec import MSGPACK
from .replies import error_content

SESSION_PREFIX: Final = "openenv.session."
"""Begins the subprotocol that names the session to resume; it is offered and never selected."""

MAX_ID: Final = 2**53

CODECS: Final = {codec.subprotocol: codec for codec in (MSGPACK, JSON)}


def choose(offered: list[str]) -> tuple[Codec | None, str | None]:
    """Return the codec to speak and the session to resume, from the subprotocols that a client offers, in its order.

    No codec means version 1.
    """
    codec = next((CODECS[name] for name in offered if name in CODECS), None)
    session = next((name.removeprefix(SESSION_PREFIX) for name in offered if name.startswith(SESSION_PREFIX)), None)
    return codec, session


class Incoming(NamedTuple):
    """A message of a client, before its content is looked at.

    Attributes:
        type: as sent; may be unknown.
        id: the number, or None where there is none that can be read.
        ack: every reply up to this one has arrived; None for no word of it.
        message: everything.
    """

    type: str
    id: int | None
    ack: int | None
    message: dict[str, Any]


def read_message(codec: Codec, frame: str | bytes) -> Incoming:
    """Return the outside of a client's message. Raises `InvalidMessageError` for what is none."""
    try:
        message = codec.load(frame)
    except ValueError as error:
        raise InvalidMessageError(f"cannot read the message: {error}") from None
    if not isinstance(message, dict):
        raise InvalidMessageError(f"a message is a map, not {type(message).__name__}")
    kind = message.get("type")
    return Incoming(kind if isinstance(kind, str) else "", _number(message.get("id")), _number(message.get("ack"), 0), message)


def _number(value: Any, least: int = 1) -> int | None:
    return value if type(value) is int and least <= value <= MAX_ID else None


def read_request(incoming: Incoming, strict_reset: bool) -> Request:
    """Return a numbered message as a request; its `timeout_s` is the deadline.

    Raises:
        UnknownMessageTypeError: there is no such type.
        InvalidActionError: the type is right and what comes with it is not.
    """
    kind, message = incoming.type, incoming.message
    if kind not in messages.NUMBERED:
        known = ", ".join(sorted(messages.NUMBERED))
        raise UnknownMessageTypeError(f"unknown message type {kind!r}; this server takes {known}")
    data, lanes = message.get("data"), message.get("lanes")
    if lanes is not None:
        data = _read_lanes(kind, lanes, data)
    elif kind in (messages.STEP, messages.RESET, messages.TASKS, messages.LANES, messages.MCP):
        data = {} if data is None and kind == messages.RESET else data
        if not isinstance(data, dict):
            raise InvalidActionError(f"a {kind} message needs 'data' to be a map")
    deadline_s = message.get("deadline_s")
    if deadline_s is not None and not (type(deadline_s) in (int, float) and deadline_s > 0):
        raise InvalidActionError("deadline_s must be a number of seconds above 0")
    return Request(kind, data, deadline_s, strict_reset, lanes)


def _read_lanes(kind: str, lanes: Any, data: Any) -> list[Any]:
    """Return the entries for a request's lanes. Raises `InvalidActionError` where they do not go together."""
    if kind not in messages.OF_LANES:
        raise InvalidActionError(f"a {kind} message takes no 'lanes'")
    if not isinstance(lanes, list) or set(map(type, lanes)) - {int} or len(set(lanes)) < len(lanes):
        raise InvalidActionError("'lanes' is a list of different whole numbers")
    if data is None and kind != messages.STEP:
        data = [{}] * len(lanes)
    if not isinstance(data, list) or len(data) != len(lanes):
        raise InvalidActionError(f"a {kind} message of {len(lanes)} lanes needs 'data' to be a list of as many entries")
    if kind != messages.STATE and set(map(type, data)) - {dict}:
        raise InvalidActionError(f"a {kind} message of lanes needs every entry of 'data' to be a map")
    return data


def error_frame(codec: Codec, number: int | None, error: OpenEnvError) -> bytes:
    """Return the frame that tells of an error."""
    try:
        return codec.wrap(messages.ERROR, number, codec.dump(error_content(error)))
    except ValueError:
        readable = {"message": error.message.encode(errors="backslashreplace").decode(), "code": error.code}
        return codec.wrap(messages.ERROR, number, codec.dump(readable))

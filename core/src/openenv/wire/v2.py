"""Version 2 of the socket protocol: numbered messages, in JSON or in msgpack.

Shapes are those of version 1 with an `id` beside `type` and `data`. What an environment returned is encoded where it ran
(`encode_json`, `encode_msgpack`), and its bytes are put into a message here as they are.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import cache, lru_cache
from typing import Any, Final, NamedTuple

import msgpack
import pydantic_core
from pydantic import BaseModel

from ..contract.models import Observation, declared_flags
from ..errors import ExecutionError, InvalidActionError, InvalidMessageError, OpenEnvError, UnknownMessageTypeError
from . import messages
from .arrays import ARRAY, is_array, is_scalar, pack_array, to_plain, unpack_array
from .messages import Request

SESSION_PREFIX: Final = "openenv.session."
"""Begins the subprotocol that names the session to resume; it is offered and never selected."""

BIG_INTEGER: Final = 1
"""Msgpack extension type of integers beyond 64 bits: their decimal digits."""

MAX_ID: Final = 2**53


class Codec(NamedTuple):
    """One way to write messages.

    Attributes:
        subprotocol: its name in the handshake.
        is_text: whether its frames are text.
        load: a frame into plain data; raises ValueError.
        dump: plain data into the bytes of a value; raises ValueError for what cannot be carried.
        encode: what an environment returned (an observation, a state, a bundle) into the bytes of a reply's `data`.
        encode_all: what several lanes returned, errors among it, into the entries of a list, without its head.
        gather: how many entries there are, and pieces of such a list, into the bytes of the whole.
        wrap: type, id (None where there is none), the bytes of `data`, and a request's `ack`, `deadline_s` and `lanes`
            (these as bytes) into a frame.
    """

    subprotocol: str
    is_text: bool
    load: Callable[[str | bytes], Any]
    dump: Callable[[Any], bytes]
    encode: Callable[[Any], bytes]
    encode_all: Callable[[list[Any]], bytes]
    gather: Callable[[int, list[bytes]], bytes]
    wrap: Callable[..., bytes]


def reply_data(value: Any, *, as_json: bool) -> Any:
    """Return what an environment returned as the plain `data` of its reply."""
    mode = "json" if as_json else "python"
    if not isinstance(value, Observation):
        if isinstance(value, Continued):
            return _continued_data(value, as_json=as_json)
        if isinstance(value, OpenEnvError):
            return {"error": error_content(value)}
        return value.__pydantic_serializer__.to_python(value, mode=mode) if isinstance(value, BaseModel) else value
    model = type(value)
    beside, flags = _fields_beside(model)
    inside = model.__pydantic_serializer__.to_python(value, mode=mode, exclude=beside)
    data = {"observation": inside, "reward": value.reward, "done": value.done}
    if value.metadata:
        data["metadata"] = inside.get("metadata")
    for flag in flags:
        if (said := getattr(value, flag)) is not None:
            data[flag] = said
    return data


class Continued(NamedTuple):
    """What a step gave that ended an episode where the next one began at once.

    Attributes:
        first: the next episode's first observation.
        last: the ended one's last.
    """

    first: Observation
    last: Observation


def _continued_data(value: Continued, *, as_json: bool) -> Any:
    """Return the next episode's observation with the last step's reward and end, and that step's whole result as `final`."""
    first, last = (reply_data(observation, as_json=as_json) for observation in value)
    return {**last, "observation": first["observation"], "metadata": first.get("metadata"), "final": last}


@cache
def _fields_beside(model: type[Observation]) -> tuple[set[str], list[str]]:
    """The fields that travel beside an observation, and which of them are said only where there is something to say."""
    own = declared_flags(model)
    flags = [flag for flag in ("terminated", "truncated") if flag not in own]
    return {"reward", "done", *flags}, flags


def encode_json(value: Any) -> bytes:
    """Return the JSON of a reply's `data`; floats that are not finite are the texts that pydantic reads as such."""
    return _as_python_or_json(value, dump_json)


def encode_msgpack(value: Any) -> bytes:
    """Return the msgpack of a reply's `data`."""
    return _as_python_or_json(value, dump_msgpack)


def _as_python_or_json(value: Any, dump: Callable[[Any], bytes]) -> bytes:
    """Dump the Python values of a reply, or what the model's JSON serializers make of types that only they know."""
    try:
        return dump(reply_data(value, as_json=False))
    except ValueError as error:
        try:
            return dump(reply_data(value, as_json=True))
        except ValueError:
            raise error from None


def encode_all_json(values: list[Any]) -> bytes:
    """See `Codec.encode_all`."""
    return _encode_all(values, dump_json)[1:-1]


def encode_all_msgpack(values: list[Any]) -> bytes:
    """See `Codec.encode_all`."""
    return _encode_all(values, dump_msgpack)[_array_head_size(len(values)) :]


def _encode_all(values: list[Any], dump: Callable[[Any], bytes]) -> bytes:
    """Dump what lanes returned; where something cannot be sent, that lane alone gets an error."""
    try:
        return dump([reply_data(value, as_json=False) for value in values])
    except ValueError:
        return dump([_sendable(value, dump) for value in values])


def _sendable(value: Any, dump: Callable[[Any], bytes]) -> Any:
    for as_json in (False, True):
        data = reply_data(value, as_json=as_json)
        try:
            dump(data)
        except ValueError as error:
            told = f"what the environment gave cannot be sent: {error}"
        else:
            return data
    return {"error": error_content(ExecutionError(told))}


def gather_json(count: int, pieces: list[bytes]) -> bytes:
    """See `Codec.gather`."""
    return b"[%s]" % b",".join(pieces)


def gather_msgpack(count: int, pieces: list[bytes]) -> bytes:
    """See `Codec.gather`."""
    size = _array_head_size(count)
    head = bytes((0x90 | count,)) if size == 1 else bytes((0xDC if size == 3 else 0xDD,)) + count.to_bytes(size - 1, "big")
    return head + b"".join(pieces)


def _array_head_size(count: int) -> int:
    """How many bytes msgpack puts before the entries of an array."""
    return 1 if count < 16 else 3 if count < 65536 else 5


def dump_json(value: Any) -> bytes:
    """Return plain data or models as JSON. Raises ValueError for what JSON cannot carry."""
    return pydantic_core.to_json(value, inf_nan_mode="strings", fallback=to_plain)


def dump_msgpack(value: Any) -> bytes:
    """Return plain data or models as msgpack. Raises ValueError for what it cannot carry."""
    if isinstance(value, BaseModel):
        value = _unusual(value)
    try:
        packer = _OF_THREAD.packer
    except AttributeError:
        packer = _OF_THREAD.packer = msgpack.Packer(default=_unusual)
    try:
        packed: bytes = packer.pack(value)
    except (TypeError, OverflowError) as error:
        raise ValueError(str(error)) from None
    return packed


def _unusual(value: Any) -> Any:
    """What msgpack does not know: long integers, models, and whatever pydantic can make plain."""
    if isinstance(value, int):
        return msgpack.ExtType(BIG_INTEGER, str(value).encode())
    if isinstance(value, BaseModel):
        return value.__pydantic_serializer__.to_python(value, exclude=_empty_metadata(value))
    if is_array(value):
        return pack_array(value)
    if is_scalar(value):
        return value.item()
    if isinstance(value, set | frozenset):
        return list(value)
    return pydantic_core.to_jsonable_python(value, fallback=to_plain)


def _empty_metadata(value: BaseModel) -> set[str] | None:
    return None if getattr(value, "metadata", True) else {"metadata"}


def load_msgpack(frame: str | bytes) -> Any:
    """Return the plain data of a msgpack frame. Raises ValueError for anything else."""
    if isinstance(frame, str):
        raise ValueError("a text frame where msgpack was agreed")
    try:
        return msgpack.unpackb(frame, strict_map_key=False, ext_hook=_extension)
    except (msgpack.UnpackException, TypeError) as error:
        raise ValueError(f"not msgpack: {error}") from None


def _extension(code: int, content: bytes) -> Any:
    if code == ARRAY:
        return unpack_array(content)
    if code == BIG_INTEGER and len(content) <= 4096:
        return int(content)
    raise ValueError(f"unknown msgpack extension {code}")


def wrap_json(
    kind: str,
    number: int | None,
    data: bytes | None = None,
    ack: int | None = None,
    deadline_s: float | None = None,
    lanes: bytes | None = None,
) -> bytes:
    """See `Codec.wrap`."""
    parts = [b'{"type":"%s","id":%s' % (kind.encode(), b"null" if number is None else b"%d" % number)]
    if ack is not None:
        parts.append(b',"ack":%d' % ack)
    if deadline_s is not None:
        parts.append(b',"deadline_s":%s' % repr(deadline_s).encode())
    if lanes is not None:
        parts += (b',"lanes":', lanes)
    if data is not None:
        parts += (b',"data":', data)
    parts.append(b"}")
    return b"".join(parts)


def wrap_msgpack(
    kind: str,
    number: int | None,
    data: bytes | None = None,
    ack: int | None = None,
    deadline_s: float | None = None,
    lanes: bytes | None = None,
) -> bytes:
    """See `Codec.wrap`."""
    entries = 2 + (ack is not None) + (deadline_s is not None) + (lanes is not None) + (data is not None)
    frame = _head(kind, entries) + _NOTHING if number is None else _head(kind, entries) + _unsigned(number)
    if ack is not None:
        frame += _ACK + _unsigned(ack)
    if deadline_s is not None:
        frame += _deadline(deadline_s)
    if lanes is not None:
        frame += _LANES + lanes
    return frame if data is None else frame + _DATA + data


_NOTHING, _ID, _ACK, _DEADLINE, _LANES, _DATA = map(msgpack.packb, (None, "id", "ack", "deadline_s", "lanes", "data"))
_OF_THREAD = threading.local()
"""One packer a thread: making one costs more than what it packs of a small message."""


@lru_cache(maxsize=64)
def _head(kind: str, entries: int) -> bytes:
    packed: bytes = bytes([0x80 | entries]) + msgpack.packb({"type": kind})[1:] + _ID
    return packed


@lru_cache(maxsize=64)
def _deadline(seconds: float) -> bytes:
    packed: bytes = _DEADLINE + msgpack.packb(seconds)
    return packed


def _unsigned(number: int) -> bytes:
    if number < 0x80:
        return bytes((number,))
    if number < 0x10000:
        return b"\xcd" + number.to_bytes(2, "big")
    return b"\xcf" + number.to_bytes(8, "big")


JSON: Final = Codec(
    "openenv.v2.json", True, pydantic_core.from_json, dump_json, encode_json, encode_all_json, gather_json, wrap_json
)
MSGPACK: Final = Codec(
    "openenv.v2.msgpack",
    False,
    load_msgpack,
    dump_msgpack,
    encode_msgpack,
    encode_all_msgpack,
    gather_msgpack,
    wrap_msgpack,
)
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
    elif kind in (messages.STEP, messages.RESET, messages.LANES):
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
    if not isinstance(lanes, list) or not all(type(lane) is int for lane in lanes) or len(set(lanes)) < len(lanes):
        raise InvalidActionError("'lanes' is a list of different whole numbers")
    if data is None and kind != messages.STEP:
        data = [{}] * len(lanes)
    if not isinstance(data, list) or len(data) != len(lanes):
        raise InvalidActionError(f"a {kind} message of {len(lanes)} lanes needs 'data' to be a list of as many entries")
    if kind != messages.STATE and not all(isinstance(entry, dict) for entry in data):
        raise InvalidActionError(f"a {kind} message of lanes needs every entry of 'data' to be a map")
    return data


def error_content(error: OpenEnvError) -> dict[str, Any]:
    """Return an error as plain `data`."""
    details = pydantic_core.to_jsonable_python(error.details, serialize_unknown=True)
    return {"message": error.message, "code": error.code or "EXECUTION_ERROR", **details}


def error_frame(codec: Codec, number: int | None, error: OpenEnvError) -> bytes:
    """Return the frame that tells of an error."""
    try:
        return codec.wrap(messages.ERROR, number, codec.dump(error_content(error)))
    except ValueError:
        readable = {"message": error.message.encode(errors="backslashreplace").decode(), "code": error.code}
        return codec.wrap(messages.ERROR, number, codec.dump(readable))

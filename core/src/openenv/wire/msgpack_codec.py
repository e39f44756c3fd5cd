"""Messages of version 2 in msgpack."""

from __future__ import annotations

import threading
from functools import cache, lru_cache
from typing import Any, Final

import msgpack
import pydantic_core
from pydantic import BaseModel

from .arrays import ARRAY, is_array, is_scalar, pack_array, to_plain, unpack_array
from .codec import Codec
from .plain import copied_fields, plain_fields
from .replies import encode, encode_all

BIG_INTEGER: Final = 1
"""Msgpack extension type of integers beyond 64 bits: their decimal digits."""

LONGEST_KEPT_BYTES: Final = 1024 * 1024
"""A packer keeps room for the longest message that it ever packed; one that packed a longer one than this is let go."""


def encode_msgpack(value: Any) -> bytes:
    """Return the msgpack of a reply's `data`."""
    return encode(value, dump_msgpack)


def encode_all_msgpack(values: list[Any]) -> bytes:
    """See `Codec.encode_all`."""
    return encode_all(values, dump_msgpack)[_array_head_size(len(values)) :]


def gather_msgpack(count: int, pieces: list[bytes]) -> bytes:
    """See `Codec.gather`."""
    size = _array_head_size(count)
    head = bytes((0x90 | count,)) if size == 1 else bytes((0xDC if size == 3 else 0xDD,)) + count.to_bytes(size - 1, "big")
    return head + b"".join(pieces)


def _array_head_size(count: int) -> int:
    """How many bytes msgpack puts before the entries of an array."""
    return 1 if count < 16 else 3 if count < 65536 else 5


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
    if len(packed) > LONGEST_KEPT_BYTES:
        del _OF_THREAD.packer
    return packed


def _unusual(value: Any) -> Any:
    """What msgpack does not know: models, long integers, and whatever pydantic can make plain."""
    if isinstance(value, BaseModel):
        return _model_data(value)
    if isinstance(value, int):
        return msgpack.ExtType(BIG_INTEGER, str(value).encode())
    if is_array(value):
        return pack_array(value)
    if is_scalar(value):
        return value.item()
    if isinstance(value, set | frozenset):
        return list(value)
    return pydantic_core.to_jsonable_python(value, fallback=to_plain)


def _model_data(model: BaseModel) -> Any:
    """Return a model's fields, without `metadata` where that is empty."""
    if getattr(model, "metadata", True):
        return model.__pydantic_serializer__.to_python(model)
    data = copied_fields(model, _fields_but_metadata(type(model)))
    return model.__pydantic_serializer__.to_python(model, exclude={"metadata"}) if data is None else data


@cache
def _fields_but_metadata(model: type[BaseModel]) -> tuple[str, ...]:
    return plain_fields(model, {"metadata"})


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

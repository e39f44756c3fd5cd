"""Messages of version 2 in JSON."""

from __future__ import annotations

from typing import Any, Final

import pydantic_core

from .arrays import to_plain
from .codec import Codec
from .replies import encode, encode_all


def encode_json(value: Any) -> bytes:
    """Return the JSON of a reply's `data`; floats that are not finite are the texts that pydantic reads as such."""
    return encode(value, dump_json)


def encode_all_json(values: list[Any]) -> bytes:
    """See `Codec.encode_all`."""
    return encode_all(values, dump_json)[1:-1]


def gather_json(count: int, pieces: list[bytes]) -> bytes:
    """See `Codec.gather`."""
    return b"[%s]" % b",".join(pieces)


def dump_json(value: Any) -> bytes:
    """Return plain data or models as JSON. Raises ValueError for what JSON cannot carry."""
    return pydantic_core.to_json(value, inf_nan_mode="strings", fallback=to_plain)


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


JSON: Final = Codec(
    "openenv.v2.json", True, pydantic_core.from_json, dump_json, encode_json, encode_all_json, gather_json, wrap_json
)

"""What a way to write messages is made of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple


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

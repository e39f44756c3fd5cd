"""Frames cut and made by `wire.frames`, against what the `websockets` library's own protocol reads."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode
from websockets.protocol import CLIENT, SERVER, Protocol, Side

from openenv.wire.frames import FrameSplitter, MaskedFrames, frame

EDGES = [0, 1, 124, 125, 126, 127, 128, 65534, 65535, 65536, 65537, 70000]
LONGEST = 66000
PATTERN = bytes(range(33, 127)) * 800
BREACHES = [
    (b"\xf1", b"\x01", b"x"),  # a reserved bit
    (b"\x83", b"\x01", b"x"),  # an unknown kind of message
    (b"\x8b", b"\x01", b"x"),  # an unknown control frame
    (b"\x09", b"\x01", b"x"),  # a control frame in fragments
    (b"\x89", b"\x7e\x00\x7e", b"x" * 126),  # a control frame too long
    (b"\x80", b"\x01", b"x"),  # goes on with what never began
    (b"\x81", b"\x7f" + b"\xff" * 8, b""),  # longer than there can be
    (b"\x82", b"\x7f" + b"\xff" * 8, b""),
]


def breach(first: bytes, length: bytes, payload: bytes, *, masked: bool) -> bytes:
    """Return a frame that breaks the rules in one way only."""
    return first + bytes((length[0] | 0x80 * masked,)) + length[1:] + bytes(4 * masked) + payload


class Reader:
    """A peer that reads a stream: with the splitter before the library's protocol, or without it.

    Attributes:
        read: what came, as opcode, payload and whether that is all of its message.
    """

    def __init__(self, side: Side, *, text: bool, longest: int | None, splits: bool) -> None:
        self.read: list[tuple[Opcode, bytes, bool]] = []
        self._plain = Opcode.TEXT if text else Opcode.BINARY
        self._library = Protocol(side, max_size=longest)
        take, rest = self._message, self._feed_library
        self.splitter = FrameSplitter(text=text, masked=side is SERVER, longest=longest, message=take, rest=rest)
        self.feed = self.splitter.feed if splits else rest

    @property
    def failure(self) -> str | None:
        """What broke the rules, if anything did."""
        error = self._library.parser_exc
        return None if error is None else type(error).__name__

    def _message(self, payload: bytes) -> None:
        self.read.append((self._plain, payload, True))

    def _feed_library(self, data: bytes) -> None:
        self._library.receive_data(data)
        for event in self._library.events_received():
            assert isinstance(event, Frame)
            self.read.append((event.opcode, bytes(event.data), event.fin))


sizes = st.one_of(st.sampled_from(EDGES), st.integers(0, 300))


@st.composite
def messages(draw: st.DrawFn, text: bool) -> list[Frame]:
    """One message in one frame or several, with control frames before and between them."""
    plain, other = (Opcode.TEXT, Opcode.BINARY) if text else (Opcode.BINARY, Opcode.TEXT)
    opcode = draw(st.sampled_from([plain] * 8 + [other]))
    pieces = [PATTERN[:size] for size in draw(st.lists(sizes, min_size=1, max_size=draw(st.sampled_from([1, 1, 1, 3]))))]
    frames: list[Frame] = []
    for index, piece in enumerate(pieces):
        for control in draw(st.lists(st.sampled_from([Opcode.PING, Opcode.PONG]), max_size=2)):
            frames.append(Frame(control, draw(st.binary(max_size=125))))
        frames.append(Frame(opcode if index == 0 else Opcode.CONT, piece, fin=index == len(pieces) - 1))
    return frames


def split(data: bytes, places: list[int]) -> list[bytes]:
    """Cut bytes at some places, counted from the end of the piece before; the last piece takes the rest."""
    pieces, begin = [], 0
    for place in places:
        pieces.append(data[begin : begin + place])
        begin += place
    return [*pieces, data[begin:]]


cuts = st.lists(st.one_of(st.integers(0, 20), st.integers(0, 70000)), max_size=30)
sides = pytest.mark.parametrize("side", [SERVER, CLIENT], ids=["masked", "unmasked"])
kinds = pytest.mark.parametrize("text", [True, False], ids=["text", "binary"])


@sides
@kinds
@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_what_is_cut_is_what_the_library_reads(side: Side, text: bool, data: st.DataObject) -> None:
    sent = [each for message in data.draw(st.lists(messages(text), max_size=6)) for each in message]
    masked = side is SERVER
    goodbye = [Frame(Opcode.CLOSE, b"\x03\xe8").serialize(mask=masked), Frame(Opcode.TEXT, b"x").serialize(mask=not masked)]
    tail = data.draw(st.sampled_from([b"", *goodbye, *(breach(*parts, masked=masked) for parts in BREACHES)]))
    tail += b"".join(each.serialize(mask=masked) for each in data.draw(messages(text)) if tail)
    longest = data.draw(st.sampled_from([None, LONGEST, 126, 65535]))
    whole = b"".join(each.serialize(mask=masked) for each in sent) + tail
    ours, theirs = (Reader(side, text=text, longest=longest, splits=splits) for splits in (True, False))
    for piece in split(whole, data.draw(cuts)):
        ours.feed(piece)
        theirs.feed(piece)
        assert ours.read == theirs.read
    assert ours.failure == theirs.failure


@kinds
@pytest.mark.parametrize("size", EDGES)
@pytest.mark.parametrize("step", [1, 2, 3, 7, 64])
def test_a_head_that_comes_in_pieces(text: bool, size: int, step: int) -> None:
    made = MaskedFrames()
    payload = b"m" * size
    reader = Reader(SERVER, text=text, longest=None, splits=True)
    whole = made.frame(payload, text=text) + made.frame(b"next", text=text)
    head, body = whole[:20], whole[20:]
    for begin in range(0, len(head), step):
        reader.feed(head[begin : begin + step])
    if size > 126:
        assert reader.splitter.wanted == len(whole) - len(made.frame(b"next", text=text)) - len(head)
    reader.feed(body)
    opcode = Opcode.TEXT if text else Opcode.BINARY
    assert reader.read == [(opcode, payload, True), (opcode, b"next", True)]
    assert reader.splitter.wanted == 0


@kinds
@given(lengths=st.lists(sizes, min_size=1, max_size=8), seed=st.binary(min_size=1))
@settings(max_examples=100, deadline=None)
def test_what_is_made_is_read_back_by_the_library(text: bool, lengths: list[int], seed: bytes) -> None:
    made = MaskedFrames()
    sent = [(seed * size)[:size] for size in lengths]
    written: dict[Side, list[bytes]] = {
        SERVER: [made.frame(payload, text=text) for payload in sent],
        CLIENT: [frame(payload, text=text) for payload in sent],
    }
    for side, frames in written.items():
        reader = Reader(side, text=text, longest=None, splits=False)
        reader.feed(b"".join(frames))
        assert reader.read == [(Opcode.TEXT if text else Opcode.BINARY, payload, True) for payload in sent]
        assert reader.failure is None


def test_every_frame_has_a_mask_of_its_own() -> None:
    made = MaskedFrames()
    masks: list[Any] = [made.frame(b"", text=True)[2:] for _ in range(5000)]
    assert {len(mask) for mask in masks} == {4}
    assert len(set(masks)) > 4990

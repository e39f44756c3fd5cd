"""WebSocket frames of the plain kind, cut and made without a detour: whole messages in one unmarked frame.

Everything else (control frames, fragments, what breaks the rules) is left to the `websockets` library's own parser.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Final

try:
    from websockets.speedups import apply_mask
except ImportError:
    from websockets.utils import apply_mask

TEXT: Final = 0x81
BINARY: Final = 0x82
"""First byte of a message that is one frame (RFC 6455, section 5.2: FIN and the opcode)."""

PING, PONG = 0x89, 0x8A

MASKED: Final = 0x80
SHORT, MEDIUM = 125, 0xFFFF
"""Longest payloads whose length takes no further byte, and two."""

MASKS_AT_ONCE = 1024

LONG = 64 * 1024
"""From so many bytes on, a payload is not copied only to stand right behind its head."""


class FrameSplitter:
    """Cuts a stream of bytes into frames, in their order.

    Args:
        text: plain frames are text frames rather than binary ones.
        masked: they are masked, as a client's are.
        longest: longest payload taken, in bytes; None for any.
        message: takes the payload of each plain frame.
        rest: takes the bytes of each other frame. From the first one on that is neither plain nor a ping or a pong, it
            takes all that comes: after a close frame there are no messages.
    """

    def __init__(
        self,
        *,
        text: bool,
        masked: bool,
        longest: int | None,
        message: Callable[[bytes], None],
        rest: Callable[[bytes], None],
    ) -> None:
        self._plain = TEXT if text else BINARY
        self._mask_bit = MASKED if masked else 0
        self._mask_size = 4 if masked else 0
        self._longest = longest
        self._message = message
        self._rest = rest
        self._held = bytearray()
        self._needed = 0
        self.passing_on = False

    @property
    def wanted(self) -> int:
        """How many bytes are missing of the frame that has begun, as far as that is known; 0 for none."""
        return max(0, self._needed - len(self._held)) if self._held else 0

    def feed(self, data: bytes) -> None:
        """Take what has arrived and hand on what is whole."""
        if self.passing_on:
            self._rest(data)
            return
        arrived: bytes | memoryview = data
        if self._held:
            self._held += data
            if len(self._held) < self._needed:
                return
            arrived, self._held = memoryview(self._held), bytearray()
        position, end = 0, len(arrived)
        while position < end:
            size, body = self._measure(arrived, position, end)
            if not size:
                self.passing_on = True
                self._rest(bytes(arrived[position:]))
                return
            stop = position + size
            if stop > end:
                self._held, self._needed = bytearray(arrived[position:]), size
                return
            if arrived[position] != self._plain:
                self._rest(bytes(arrived[position:stop]))
            elif self._mask_bit:
                self._message(apply_mask(arrived[body:stop], bytes(arrived[body - 4 : body])))
            else:
                self._message(bytes(arrived[body:stop]))
            position = stop

    def _measure(self, data: bytes | memoryview, position: int, end: int) -> tuple[int, int]:
        """Return the size of the frame at `position`, or of what must be there to tell it, and where its payload begins.

        The size is 0 for a frame that is neither plain nor a ping or a pong, or is too long.
        """
        if end - position < 2:
            return 2, 0
        first, second = data[position], data[position + 1]
        length, body = second & 0x7F, position + 2
        if (first != self._plain and first != PING and first != PONG) or second & MASKED != self._mask_bit:
            return 0, 0
        if length > SHORT:
            if first != self._plain:
                return 0, 0
            wide = 2 if length == 126 else 8
            body += wide
            if end < body:
                return 2 + wide, 0
            length = int.from_bytes(data[position + 2 : body], "big")
        if self._longest is not None and length > self._longest:
            return 0, 0
        body += self._mask_size
        return body - position + length, body


def frame(payload: bytes, *, text: bool) -> bytes:
    """Return a message as one frame of a server."""
    return head(payload, text=text) + payload


def head(payload: bytes, *, text: bool) -> bytes:
    """Return what stands before a message in one frame of a server."""
    return _head(payload, TEXT if text else BINARY, 0)


class MaskedFrames:
    """Makes frames of a client, each masked with fresh random bytes."""

    def __init__(self) -> None:
        self._masks = b""
        self._next = 0

    def frame(self, payload: bytes, *, text: bool) -> bytes:
        """Return a message as one frame of a client."""
        head, masked = self.parts(payload, text=text)
        return head + masked

    def parts(self, payload: bytes, *, text: bool) -> tuple[bytes, bytes]:
        """Return the head of the frame and what follows it."""
        at = self._next
        if at >= len(self._masks):
            self._masks, at = os.urandom(4 * MASKS_AT_ONCE), 0
        self._next = at + 4
        mask = self._masks[at : at + 4]
        return _head(payload, TEXT if text else BINARY, MASKED) + mask, apply_mask(payload, mask)


def _head(payload: bytes, first: int, mask_bit: int) -> bytes:
    length = len(payload)
    if length <= SHORT:
        return bytes((first, mask_bit | length))
    if length <= MEDIUM:
        return bytes((first, mask_bit | 126, length >> 8, length & 0xFF))
    return bytes((first, mask_bit | 127)) + length.to_bytes(8, "big")

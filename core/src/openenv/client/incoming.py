"""What a server sends, cut into messages, for both kinds of sockets."""

from __future__ import annotations

from collections.abc import Callable

from websockets.client import ClientProtocol
from websockets.frames import Frame
from websockets.protocol import State

from ..wire.frames import FrameSplitter
from ..wire.v2 import CODECS

END_OF_HEAD = b"\r\n\r\n"


class Incoming:
    """Takes a connection's bytes from the opening handshake on.

    Args:
        protocol: the library's.
        library: takes the bytes that the library is to read: the handshake, and every frame that is no plain message.
        message: takes each message.

    Attributes:
        feed: takes bytes as they arrive.
        is_text: whether messages are text frames; known when the handshake is done.
    """

    def __init__(self, protocol: ClientProtocol, library: Callable[[bytes], None], message: Callable[[bytes], None]) -> None:
        self.feed: Callable[[bytes], None] = self._begin
        self.is_text = True
        self._protocol = protocol
        self._library = library
        self._message = message
        self._splitter: FrameSplitter | None = None
        self._head = bytearray()
        self._fragments: list[bytes] = []

    @property
    def wanted(self) -> int:
        """See `FrameSplitter.wanted`."""
        return 0 if self._splitter is None else self._splitter.wanted

    def add(self, frame: Frame) -> None:
        """Take a data frame that the library read, which may be a part of a message only."""
        self._fragments.append(bytes(frame.data))
        if frame.fin:
            whole, self._fragments = b"".join(self._fragments), []
            self._message(whole)

    def _begin(self, data: bytes) -> None:
        """Give the library the server's answer to the handshake, and choose who takes what follows."""
        self._head += data
        end = self._head.find(END_OF_HEAD)
        if end < 0:
            self._library(data)
            return
        own = len(data) - (len(self._head) - end - len(END_OF_HEAD))
        self._library(data[:own])
        self.feed = self._library
        if self._protocol.state is State.OPEN:
            codec = CODECS.get(self._protocol.subprotocol or "")
            self.is_text = codec is None or codec.is_text
            self._splitter = FrameSplitter(
                text=self.is_text,
                masked=False,
                longest=self._protocol.max_message_size,
                message=self._message,
                rest=self._library,
            )
            self.feed = self._splitter.feed
        if own < len(data):
            self.feed(data[own:])

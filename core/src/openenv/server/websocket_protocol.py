"""uvicorn's WebSocket protocol, with a short way for plain messages, which also lets go of peers that take nothing any more."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame
from websockets.http11 import Request

from ..wire.frames import FrameSplitter, frame, head

LAST_BYTES_WITHIN_S = 12.0
"""What has not left so long after a socket's end is dropped; a peer gets 10 s of it to answer the goodbye."""

COPIED_BYTES = 64 * 1024
"""Up to so many, to copy a message behind its head costs less than a second write."""

EXTENSION = "openenv.frames"
"""Under this name among a scope's `extensions` an application finds this protocol itself."""


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """As uvicorn's, with three things more.

    An application may take plain messages in the moment they arrive, and answer in the same: no queue, no task, no pause
    in reading between.

    A socket that is over is closed also where its peer never reads what is still to be sent: a transport that is closed
    first sends all that it holds, for which a half-open peer lets it wait for ever.

    What a peer sends without end makes nothing grow here, be it pings, pieces of a message, or what it lets be answered
    and does not read.
    """

    _dropping: asyncio.TimerHandle | None = None
    _splitter: FrameSplitter | None = None
    _early = False
    _pong = b""
    _pieces: bytearray

    def listen(self, take: Callable[[bytes], None], *, text: bool) -> bool:
        """Give every plain message from now on to `take`; the others and the end go on coming by `receive`.

        Returns False, and changes nothing, where something has come already.
        """
        if self._early:
            return False
        self._splitter = FrameSplitter(
            text=text, masked=True, longest=self.config.ws_max_size, message=take, rest=super().data_received
        )
        return True

    def write(self, message: bytes, *, text: bool) -> bool:
        """Send a message now. Returns False, and does nothing, where the peer is slow to take what was sent before."""
        if not self.writable.is_set():
            return False
        if not (self.disconnected or self.close_sent or self.transport.is_closing()):
            if len(message) <= COPIED_BYTES:
                self.transport.write(frame(message, text=text))
            else:
                self.transport.write(head(message, text=text))
                self.transport.write(message)
        return True

    def hold(self, full: bool) -> None:
        """Read no more while `full`."""
        if not self.transport.is_closing():
            if full:
                self.transport.pause_reading()
            elif not self.read_paused:
                self.transport.resume_reading()

    def data_received(self, data: bytes) -> None:
        if self._splitter is None:
            self._early = self.handshake_initiated
            super().data_received(data)
        else:
            self._splitter.feed(data)

    def handle_ping(self) -> None:
        """Answer a ping; while the peer reads nothing, only the last one (RFC 6455, section 5.5.3)."""
        due = self.conn.data_to_send()
        if self.writable.is_set() or self.conn.close_rcvd is not None:
            self.transport.write(b"".join(due))
        elif due:
            self._pong = due[-1]

    def resume_writing(self) -> None:
        super().resume_writing()
        pong, self._pong = self._pong, b""
        if pong and not self.transport.is_closing():
            self.transport.write(pong)

    def handle_cont(self, event: Frame) -> None:
        """Put a message in pieces together as they come: kept apart, small ones would take many times their bytes."""
        if self.frames:
            self._pieces, self.frames = bytearray(self.frames[0]), []
        self._pieces += event.data
        if event.fin:
            self.frames, self._pieces = [bytes(self._pieces)], bytearray()
            self.send_receive_event_to_app()

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        if self.response.status_code == 101:
            extensions: Any = self.scope["extensions"]
            extensions[EXTENSION] = self

    def keepalive_timeout(self) -> None:
        super().keepalive_timeout()
        self.transport.abort()

    async def run_asgi(self) -> None:
        await super().run_asgi()
        if not self.disconnected:
            self._dropping = self.loop.call_later(LAST_BYTES_WITHIN_S, self.transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._forget_application()
        if self._dropping is not None:
            self._dropping.cancel()

    def _forget_application(self) -> None:
        """Let go of what leads back here, so that what a lost connection held is free at once."""
        self._splitter = None
        self._early = True
        if self.handshake_initiated and self.response.status_code == 101:
            self.scope["extensions"].pop(EXTENSION, None)

"""One WebSocket connection without I/O: the handshake, whole messages in and out, pings."""

from __future__ import annotations

import time
from collections import deque

from websockets.client import ClientProtocol
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode
from websockets.http11 import Response
from websockets.protocol import State
from websockets.typing import Subprotocol
from websockets.uri import WebSocketURI

from .transport import Options


class Frames:
    """Turns bytes of a socket into messages and back; whoever owns the socket carries the bytes.

    Attributes:
        messages: whole messages that have arrived and that nobody has taken yet.
        answered: the server has answered the handshake, for better or worse.
    """

    def __init__(self, uri: WebSocketURI, options: Options, subprotocols: list[str]) -> None:
        self._options = options
        self._protocol = ClientProtocol(
            uri, subprotocols=[Subprotocol(name) for name in subprotocols] or None, max_size=options.max_message_bytes
        )
        self._parts: list[bytes] = []
        self._ping_due = self._pong_due = float("inf")
        self.messages: deque[bytes] = deque()
        self.answered = False

    def greet(self) -> bytes:
        """Return the request that opens the connection."""
        request = self._protocol.connect()
        request.headers["User-Agent"] = "openenv"
        for name, value in self._options.headers.items():
            request.headers[name] = value
        self._protocol.send_request(request)
        return self.to_send()

    def check_opened(self) -> None:
        """Return where the handshake succeeded. Raises `InvalidHandshake`, or `EOFError` where the server left."""
        if self._protocol.handshake_exc is not None:
            raise self._protocol.handshake_exc
        if self._protocol.state is not State.OPEN:
            raise EOFError("the server closed the connection during the handshake")
        self._postpone_ping()

    @property
    def subprotocol(self) -> str | None:
        """What the server chose of the subprotocols offered, if anything."""
        return self._protocol.subprotocol

    @property
    def state(self) -> State:
        """How far the connection is."""
        return self._protocol.state

    @property
    def ending(self) -> bool:
        """Whether the socket is to be closed soon, by the server or else by its owner."""
        return self._protocol.close_expected()

    def closed(self) -> ConnectionClosed:
        """Return how a closed connection ended."""
        return self._protocol.close_exc

    def message(self, content: bytes, text: bool) -> bytes:
        """Return the bytes of a message to send. Raises `ConnectionClosed` where there is no connection any more."""
        if self._protocol.state is not State.OPEN:
            if self._protocol.state is not State.CLOSED:
                self._protocol.receive_eof()
            raise self._protocol.close_exc
        if text:
            self._protocol.send_text(content)
        else:
            self._protocol.send_binary(content)
        return self.to_send()

    def receive(self, content: bytes) -> None:
        """Take bytes that arrived; empty means that there will be no more."""
        if content:
            self._protocol.receive_data(content)
        else:
            self._protocol.receive_eof()
        for event in self._protocol.events_received():
            if isinstance(event, Frame):
                self._take(event)
            elif isinstance(event, Response):
                self.answered = True
        if self._protocol.handshake_exc is not None or self._protocol.state is State.CLOSED:
            self.answered = True

    def _take(self, frame: Frame) -> None:
        self._postpone_ping()
        if frame.opcode in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
            if frame.fin and not self._parts:
                self.messages.append(bytes(frame.data))
                return
            self._parts.append(bytes(frame.data))
            if frame.fin:
                self.messages.append(b"".join(self._parts))
                self._parts.clear()

    def to_send(self) -> bytes:
        """Return the bytes that are to go out: messages, answers to pings, goodbyes."""
        return b"".join(self._protocol.data_to_send())

    def goodbye(self) -> bytes:
        """Return the bytes that end the connection in order."""
        if self._protocol.state is State.OPEN:
            self._protocol.send_close(1000)
        return self.to_send()

    def ping_if_due(self) -> bytes:
        """Return a ping where the connection has been silent for long; give up one that has not answered the last."""
        now = time.monotonic()
        if now >= self._pong_due:
            self._protocol.fail(1011, "no answer to a ping")
        elif now >= self._ping_due and self._protocol.state is State.OPEN:
            self._protocol.send_ping(b"")
            self._postpone_ping()
            if self._options.ping_timeout_s is not None:
                self._pong_due = now + self._options.ping_timeout_s
        return self.to_send()

    @property
    def due_at(self) -> float:
        """When `ping_if_due` has something to do next, as `time.monotonic` counts."""
        return min(self._ping_due, self._pong_due)

    def _postpone_ping(self) -> None:
        interval_s = self._options.ping_interval_s
        self._ping_due = float("inf") if interval_s is None else time.monotonic() + interval_s
        self._pong_due = float("inf")

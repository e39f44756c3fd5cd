"""A WebSocket of threads that wait: the library opens it, and the thread that calls does all the reading and writing."""

from __future__ import annotations

import socket
import threading
import time
from collections import deque
from contextlib import suppress
from ssl import SSLWantReadError, SSLWantWriteError
from typing import Any

from websockets.client import ClientProtocol
from websockets.frames import DATA_OPCODES, Frame
from websockets.http11 import Response
from websockets.protocol import State

from ..wire.frames import LONG, MaskedFrames
from .incoming import Incoming
from .read_patience import ReadPatience

READ_BYTES = 64 * 1024
MOST_READ_BYTES = 4 * 1024 * 1024

LONGEST_WAIT_S = 1.0
"""Who waits for a reply looks up so often, to see whether a ping is due."""

LOOK_UP_S = 0.001
"""How long looking up takes at most, where nothing has arrived or nothing more can leave."""

LONGEST_STALL_S = 86400.0
"""What takes no byte for a day is gone, also where pings may go unanswered for ever. No system waits for much longer."""

NO_DATA = (BlockingIOError, TimeoutError, SSLWantReadError)
NO_ROOM = (BlockingIOError, TimeoutError, SSLWantWriteError)


class BlockingSocket:
    """What `websockets.sync.client.connect` makes where it is told to make this; used by one thread at a time.

    While nobody waits for a message, `look_up` has to be called every few seconds: it answers pings and sends them.

    Everything ends by a deadline, writing too: a connection that does not take by then what it is given is cut, for what went
    out by half cannot be taken back.
    """

    def __init__(
        self,
        sock: socket.socket,
        protocol: ClientProtocol,
        *,
        ping_interval: float | None,
        ping_timeout: float | None,
        close_timeout: float | None,
        max_queue: object = None,
    ) -> None:
        self.socket = sock
        self.protocol = protocol
        self.pending_legacy_warning = False
        self.recv_events_thread = _NoThread()
        self._ping_interval_s = ping_interval
        self._ping_timeout_s = ping_timeout
        self._close_timeout_s = close_timeout
        self._frames = MaskedFrames()
        self._messages: deque[bytes] = deque()
        self._incoming = Incoming(protocol, self._feed_library, self._messages.append)
        self._response: Response | None = None
        self._until = 0.0
        self._patience = ReadPatience(sock)
        self._heard_at = time.monotonic()
        self._pinged_at: float | None = None
        self._ending_since: float | None = None
        self._deaf = False

    @property
    def subprotocol(self) -> str | None:
        """What was agreed on."""
        return self.protocol.subprotocol

    @property
    def is_closed(self) -> bool:
        """Whether nothing can be sent or come any more."""
        return self.protocol.state is State.CLOSED

    def handshake(
        self, additional_headers: Any = None, user_agent_header: str | None = None, timeout: float | None = None
    ) -> None:
        """Do the opening handshake. Raises `TimeoutError`, `OSError`, and what the library has for a refusal."""
        request = self.protocol.connect()
        if additional_headers is not None:
            request.headers.update(additional_headers)
        if user_agent_header is not None:
            request.headers.setdefault("User-Agent", user_agent_header)
        self._until = time.monotonic() + (threading.TIMEOUT_MAX if timeout is None else timeout)
        self.protocol.send_request(request)
        self._send_what_is_due()
        while self._response is None and not self.is_closed:
            self._read()
        if self.protocol.handshake_exc is not None:
            raise self.protocol.handshake_exc

    def start_keepalive(self) -> None:
        """Nothing to start: see `look_up`."""

    def __enter__(self) -> BlockingSocket:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def send(self, message: bytes, until: float) -> None:
        """Send a message. Where the connection is over nothing is sent, and `receive` tells of the end.

        Args:
            message: its payload.
            until: when the connection is cut if it has not taken the message, as `time.monotonic` counts.
        """
        if self.protocol.state is not State.OPEN:
            return
        self._until = until
        if len(message) < LONG:
            self._write(self._frames.frame(message, text=self._incoming.is_text))
        else:
            for part in self._frames.parts(message, text=self._incoming.is_text):
                self._write(part)

    def receive(self, until: float) -> bytes:
        """Return the next message.

        Args:
            until: how long to wait for it, as `time.monotonic` counts.

        Raises:
            TimeoutError: none came by then.
            ConnectionClosed: none will come.
        """
        if not self._messages:
            self._until = until
            while not self._messages:
                if self.is_closed:
                    raise self.protocol.close_exc
                self._read()
        return self._messages.popleft()

    def look_up(self) -> None:
        """Take what has arrived without waiting for it, answer pings, and send one where it is due."""
        before = None
        while not self.is_closed and before != self._heard_at:
            before = self._heard_at
            self._until = time.monotonic() + LOOK_UP_S
            with suppress(TimeoutError):
                self._read()

    def close(self) -> None:
        """Say goodbye, wait a little for the other side's, and close."""
        self._until = time.monotonic() + (self._close_timeout_s or 0.0)
        try:
            if self.protocol.state is State.OPEN:
                self.protocol.send_close(1000)
                self._send_what_is_due()
            with suppress(TimeoutError):
                while not self.is_closed:
                    self._read()
        finally:
            self.close_socket()

    def cut(self) -> None:
        """End the connection without a goodbye; what has arrived can still be read."""
        self._deaf = True
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)

    def close_socket(self) -> None:
        """Close the connection without a goodbye."""
        self.socket.close()
        self.protocol.receive_eof()

    def _read(self) -> None:
        """Wait for bytes, for `LONGEST_WAIT_S` at most, and deal with them. Raises `TimeoutError` past the deadline."""
        remaining_s = self._until - time.monotonic()
        if remaining_s <= 0:
            raise TimeoutError
        try:
            self._patience.set(min(LONGEST_WAIT_S, remaining_s))
            data = self.socket.recv(min(max(self._incoming.wanted, READ_BYTES), MOST_READ_BYTES))
        except NO_DATA:
            self._mind_pings()
        except OSError:
            self.close_socket()
        else:
            if data:
                self._heard_at = time.monotonic()
                self._incoming.feed(data)
            else:
                self.protocol.receive_eof()
                self._send_what_is_due()
                self.close_socket()

    def _write(self, data: bytes) -> None:
        """Send bytes by the deadline, or cut the connection. Where it is over, there may still be some to read."""
        if self._deaf:
            return
        try:
            try:
                sent = self.socket.send(data, socket.MSG_DONTWAIT) if self._patience.is_the_systems else 0
            except BlockingIOError:
                sent = 0
            if sent < len(data):
                self._press(memoryview(data)[sent:])
        except NO_ROOM:
            self.cut()
        except OSError:
            self._deaf = True
        except BaseException:
            self.cut()
            raise

    def _press(self, rest: memoryview) -> None:
        """Send what was not taken at once, for as long as any of it is taken as often as a ping is to be answered.

        Raises:
            TimeoutError: it was not taken by the deadline, or nothing of it for so long.
        """
        try:
            while rest:
                remaining_s = self._until - time.monotonic()
                self.socket.settimeout(max(LOOK_UP_S, min(remaining_s, self._ping_timeout_s or LONGEST_STALL_S)))
                rest = rest[self.socket.send(rest) :]
                if rest and remaining_s <= 0:
                    raise TimeoutError
        finally:
            self._patience.restore()

    def _send_what_is_due(self) -> None:
        """Send what the library's protocol has to say."""
        for data in self.protocol.data_to_send():
            if data:
                self._write(data)
            else:
                with suppress(OSError):
                    self.socket.shutdown(socket.SHUT_WR)

    def _mind_pings(self) -> None:
        """Send a ping where nothing was heard for long; end a connection that does not answer one, or a goodbye."""
        now = time.monotonic()
        if self.protocol.state is State.CLOSING:
            self._ending_since = self._ending_since or now
            if now - self._ending_since > (self._close_timeout_s or 0.0):
                self.close_socket()
        if self.protocol.state is not State.OPEN:
            return
        if self._pinged_at is not None and self._pinged_at < self._heard_at:
            self._pinged_at = None
        if self._pinged_at is not None:
            if self._ping_timeout_s is not None and now - self._pinged_at > self._ping_timeout_s:
                self.protocol.fail(1011, "keepalive ping timeout")
                self.close_socket()
        elif self._ping_interval_s is not None and now - self._heard_at > self._ping_interval_s:
            self._pinged_at = now
            self.protocol.send_ping(b"")
            self._send_what_is_due()

    def _feed_library(self, data: bytes) -> None:
        self.protocol.receive_data(data)
        for event in self.protocol.events_received():
            if isinstance(event, Response):
                self._response = event
            elif isinstance(event, Frame) and event.opcode in DATA_OPCODES:
                self._incoming.add(event)
        self._send_what_is_due()


class _NoThread:
    """Stands where the library joins the thread that it would have reading."""

    def join(self) -> None:
        """Nothing runs."""

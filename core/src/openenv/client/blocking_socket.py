"""A WebSocket of threads that wait: the library opens it, and the thread that calls does all the reading and writing."""

from __future__ import annotations

import socket
import struct
import sys
import threading
import time
from collections import deque
from contextlib import suppress
from ssl import SSLSocket, SSLWantReadError
from typing import Any

from websockets.client import ClientProtocol
from websockets.frames import DATA_OPCODES, Frame
from websockets.http11 import Response
from websockets.protocol import State

from ..wire.frames import FrameSplitter, MaskedFrames
from ..wire.v2 import CODECS

END_OF_HEAD = b"\r\n\r\n"
READ_BYTES = 64 * 1024
MOST_READ_BYTES = 4 * 1024 * 1024

LONGEST_WAIT_S = 1.0
"""Who waits for a reply looks up so often, to see whether a ping is due."""

NO_DATA = (BlockingIOError, TimeoutError, SSLWantReadError)


class BlockingSocket:
    """What `websockets.sync.client.connect` makes where it is told to make this; used by one thread at a time.

    While nobody waits for a message, `look_up` has to be called every few seconds: it answers pings and sends them.
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
        self._splitter: FrameSplitter | None = None
        self._head = bytearray()
        self._response: Response | None = None
        self._text = True
        self._messages: deque[bytes] = deque()
        self._fragments: list[bytes] = []
        self._wait_s = -1.0
        self._waits_in_system = sys.platform != "win32" and not isinstance(sock, SSLSocket)
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
        self.protocol.send_request(request)
        self._send_what_is_due()
        deadline = time.monotonic() + (threading.TIMEOUT_MAX if timeout is None else timeout)
        while self._response is None and not self.is_closed:
            self._read(deadline)
        if self.protocol.handshake_exc is not None:
            raise self.protocol.handshake_exc

    def start_keepalive(self) -> None:
        """Nothing to start: see `look_up`."""

    def __enter__(self) -> BlockingSocket:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def send(self, message: bytes) -> None:
        """Send a message. Where the connection is over nothing is sent, and `receive` tells of the end."""
        if self.protocol.state is State.OPEN:
            self._write(self._frames.frame(message, text=self._text))

    def receive(self, timeout_s: float) -> bytes:
        """Return the next message. Raises `TimeoutError` and `ConnectionClosed`."""
        if not self._messages:
            deadline = time.monotonic() + timeout_s
            while not self._messages:
                if self.is_closed:
                    raise self.protocol.close_exc
                self._read(deadline)
        return self._messages.popleft()

    def look_up(self) -> None:
        """Take what has arrived without waiting for it, answer pings, and send one where it is due."""
        before = None
        while not self.is_closed and before != self._heard_at:
            before = self._heard_at
            with suppress(TimeoutError):
                self._read(time.monotonic() + 0.001)

    def close(self) -> None:
        """Say goodbye, wait a little for the other side's, and close."""
        if self.protocol.state is State.OPEN:
            self.protocol.send_close(1000)
            self._send_what_is_due()
        deadline = time.monotonic() + (self._close_timeout_s or 0.0)
        with suppress(TimeoutError):
            while not self.is_closed:
                self._read(deadline)
        self.close_socket()

    def cut(self) -> None:
        """End the connection without a goodbye; another thread may do that."""
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)

    def close_socket(self) -> None:
        """Close the connection without a goodbye."""
        self.socket.close()
        self.protocol.receive_eof()

    def _read(self, deadline: float) -> None:
        """Wait for bytes, for `LONGEST_WAIT_S` at most, and deal with them. Raises `TimeoutError` past the deadline."""
        remaining_s = deadline - time.monotonic()
        if remaining_s <= 0:
            raise TimeoutError
        wanted = 0 if self._splitter is None else self._splitter.wanted
        try:
            self._wait(min(LONGEST_WAIT_S, remaining_s))
            data = self.socket.recv(min(max(wanted, READ_BYTES), MOST_READ_BYTES))
        except NO_DATA:
            self._mind_pings()
        except OSError:
            self.close_socket()
        else:
            if data:
                self._heard_at = time.monotonic()
                self._take(data)
            else:
                self.protocol.receive_eof()
                self._send_what_is_due()
                self.close_socket()

    def _wait(self, seconds: float) -> None:
        """Let the next read wait for so long, where that has changed: a system call for it costs as much as one to read."""
        if seconds == self._wait_s:
            return
        self._wait_s = seconds
        if self._waits_in_system:
            timeval = struct.pack("@ll", *divmod(max(1, int(seconds * 1e6)), 1_000_000))
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, timeval)
        else:
            self.socket.settimeout(seconds)

    def _write(self, data: bytes) -> None:
        """Send bytes, however long the other side lets that take. Where it takes no more, there may still be some to read."""
        if self._deaf:
            return
        try:
            if not self._waits_in_system and self._wait_s >= 0:
                self.socket.settimeout(None)
                self._wait_s = -1.0
            self.socket.sendall(data)
        except OSError:
            self._deaf = True

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

    def _take(self, data: bytes) -> None:
        if self._splitter is not None:
            self._splitter.feed(data)
            return
        self._head += data
        end = self._head.find(END_OF_HEAD)
        after = 0 if end < 0 else len(self._head) - end - len(END_OF_HEAD)
        self._feed_library(data[: len(data) - after])
        if self.protocol.state is State.OPEN:
            codec = CODECS.get(self.protocol.subprotocol or "")
            self._text = codec is None or codec.is_text
            self._splitter = FrameSplitter(
                text=self._text,
                masked=False,
                longest=self.protocol.max_message_size,
                message=self._messages.append,
                rest=self._feed_library,
            )
            self._splitter.feed(data[len(data) - after :])
        elif after:
            self._feed_library(data[len(data) - after :])

    def _feed_library(self, data: bytes) -> None:
        self.protocol.receive_data(data)
        for event in self.protocol.events_received():
            if isinstance(event, Response):
                self._response = event
            elif isinstance(event, Frame) and event.opcode in DATA_OPCODES:
                self._fragments.append(bytes(event.data))
                if event.fin:
                    self._messages.append(b"".join(self._fragments))
                    self._fragments = []
        self._send_what_is_due()


class _NoThread:
    """Stands where the library joins the thread that it would have reading."""

    def join(self) -> None:
        """Nothing runs."""

"""A WebSocket over a socket that blocks: the thread that calls does the reading, with nothing in between."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import sys
import time

from websockets.exceptions import ConnectionClosed
from websockets.protocol import State
from websockets.uri import parse_uri

from .frames import Frames
from .transport import Options

READ_BYTES = 1 << 18
CLOSE_WITHIN_S = 2.0
SEND_WITHIN_S = 30.0
"""A connection that takes no bytes for so long is given up."""

LONGEST_WAIT_S = 1.0


class BlockingSocket:
    """One connection, used by one thread at a time; `serve_idle` keeps it alive while nobody uses it.

    Raises:
        OSError: nobody answers at the address.
        InvalidHandshake: what answers is no WebSocket server, or refuses.
        EOFError: the server closed the connection during the handshake.
    """

    def __init__(self, url: str, options: Options, subprotocols: list[str], patience_s: float | None = None) -> None:
        uri = parse_uri(url)
        limit_s = options.connect_timeout_s if patience_s is None else min(patience_s, options.connect_timeout_s)
        give_up_at = time.monotonic() + limit_s
        self._frames = Frames(uri, options, subprotocols)
        connection = socket.create_connection((uri.host, uri.port), timeout=limit_s)
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if uri.secure:
                connection = ssl.create_default_context().wrap_socket(connection, server_hostname=uri.host)
            self._socket = connection
            self._patience_s = 0.0
            connection.settimeout(None)
            if sys.platform != "win32":
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, _timeval(SEND_WITHIN_S))
            connection.sendall(self._frames.greet())
            while not self._frames.answered:
                if not self._read(give_up_at - time.monotonic()) and time.monotonic() > give_up_at:
                    raise TimeoutError(f"no answer within {limit_s:g} s")
            self._frames.check_opened()
        except BaseException:
            connection.close()
            raise

    @property
    def subprotocol(self) -> str | None:
        """See `Frames.subprotocol`."""
        return self._frames.subprotocol

    @property
    def state(self) -> State:
        """See `Frames.state`."""
        return self._frames.state

    def send(self, content: bytes, *, text: bool) -> None:
        """Send a message. Raises `ConnectionClosed`."""
        self._write(self._frames.message(content, text))

    def recv(self, timeout: float | None = None) -> bytes:
        """Return the next message.

        Args:
            timeout: seconds to wait for it; None waits for ever.

        Raises:
            TimeoutError: none came in time.
            ConnectionClosed: none will come any more.
        """
        frames = self._frames
        if not frames.messages:
            give_up_at = None if timeout is None else time.monotonic() + timeout
            while not frames.messages:
                self._wait(give_up_at)
        return frames.messages.popleft()

    def serve_idle(self) -> None:
        """Answer the pings that have arrived and send those that are due, without waiting."""
        with contextlib.suppress(ConnectionClosed, TimeoutError):
            while True:
                self._wait(time.monotonic())

    def close(self) -> None:
        """End the connection; waits shortly for the server's goodbye. Twice does no harm."""
        give_up_at = time.monotonic() + CLOSE_WITHIN_S
        with contextlib.suppress(ConnectionClosed, OSError):
            self._write(self._frames.goodbye())
            while self._frames.state is not State.CLOSED and time.monotonic() < give_up_at:
                self._read(give_up_at - time.monotonic())
        self.abort()

    def abort(self) -> None:
        """Drop the connection without a goodbye."""
        self._socket.close()

    def _wait(self, give_up_at: float | None) -> None:
        """Read once, within the time there is; see to the pings meanwhile."""
        frames = self._frames
        if frames.state is State.CLOSED:
            self._socket.close()
            raise frames.closed()
        now = time.monotonic()
        if now >= frames.due_at:
            self._write(frames.ping_if_due())
        until = frames.due_at if give_up_at is None else min(give_up_at, frames.due_at)
        if frames.ending:
            until = min(until, now + CLOSE_WITHIN_S)
        if not self._read(until - now) and time.monotonic() >= until:
            if frames.ending:
                frames.receive(b"")
            elif give_up_at is not None and time.monotonic() >= give_up_at:
                raise TimeoutError

    def _read(self, timeout_s: float) -> bool:
        """Take what arrives within a time, at most a second; return whether anything did."""
        self._set_patience(min(LONGEST_WAIT_S, max(0.0005, timeout_s)))
        try:
            content = self._socket.recv(READ_BYTES)
        except (TimeoutError, BlockingIOError):
            return False
        except OSError:
            content = b""
        self._frames.receive(content)
        self._write(self._frames.to_send())
        return True

    def _set_patience(self, seconds: float) -> None:
        """Let a read block for so long: an option of the socket where that works, for it costs nothing while unchanged."""
        if seconds == self._patience_s:
            return
        self._patience_s = seconds
        if isinstance(self._socket, ssl.SSLSocket) or sys.platform == "win32":
            self._socket.settimeout(seconds)
        else:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, _timeval(seconds))

    def _write(self, content: bytes) -> None:
        if not content:
            return
        try:
            self._socket.sendall(content)
        except OSError:
            if self._frames.state is not State.CLOSED:
                self._frames.receive(b"")


def _timeval(seconds: float) -> bytes:
    whole = int(seconds)
    return struct.pack("@ll", whole, int((seconds - whole) * 1_000_000))

"""A server at its barest: it shakes hands, says what it is told to say, and reads nothing else."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

import msgpack
from speaking import MSGPACK
from websockets.frames import Close, Frame, Opcode
from websockets.utils import accept_key


def said(kind: str, number: int | None = None, **data: object) -> bytes:
    """Return a message of version 2 as a server's frame."""
    message = {"type": kind, "data": data} | ({} if number is None else {"id": number})
    return Frame(Opcode.BINARY, msgpack.packb(message)).serialize(mask=False)


GREETING = said("hello", session="s", resumed=False)
GREETING_AGAIN = said("hello", session="s", resumed=True)
GOODBYE = Frame(Opcode.CLOSE, Close(1001, "").serialize()).serialize(mask=False)


class DeafPeer:
    """Keeps every connection open and answers none.

    Args:
        words: for each connection in turn, what it is told after the handshake; the last is for all that follow.
        answer: what the first one is told besides when it has begun to ask.
        speaks_v2: whether it agrees on version 2.

    Attributes:
        url: where clients connect.
        connections: how many have.
    """

    def __init__(self, words: Sequence[bytes], answer: bytes, *, speaks_v2: bool) -> None:
        self._words = words
        self._answer = answer
        self._chosen = f"Sec-WebSocket-Protocol: {MSGPACK}\r\n" if speaks_v2 else ""
        self._kept: list[socket.socket] = []
        self._listener = socket.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen()
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._accept, name="deaf-peer")
        self._thread.start()

    @property
    def connections(self) -> int:
        """How many there were."""
        return len(self._kept)

    def close(self) -> None:
        """End every connection."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        for each in (self._listener, *self._kept):
            each.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with suppress(OSError):  # whoever called may have hung up meanwhile
                self._greet(connection)

    def _greet(self, connection: socket.socket) -> None:
        head = b""
        while not head.endswith(b"\r\n\r\n") and (byte := connection.recv(1)):
            head += byte
        key = re.search(rb"(?i)sec-websocket-key: (\S+)", head)
        if key is None:
            connection.close()
            return
        words = self._words[min(len(self._kept), len(self._words) - 1)]
        self._kept.append(connection)
        handshake = (
            f"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n{self._chosen}"
            f"Sec-WebSocket-Accept: {accept_key(key[1].decode())}\r\n\r\n"
        )
        connection.sendall(handshake.encode() + words)
        if self._answer and self.connections == 1:
            connection.recv(1)
            connection.sendall(self._answer)


@contextmanager
def deaf_peer(*words: bytes, answer: bytes = b"", speaks_v2: bool = True) -> Iterator[DeafPeer]:
    """Run one for a while."""
    peer = DeafPeer(words, answer, speaks_v2=speaks_v2)
    try:
        yield peer
    finally:
        peer.close()

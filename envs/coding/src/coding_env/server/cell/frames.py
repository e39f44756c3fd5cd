"""Messages between the server and an interpreter: four bytes of length, then JSON. Nothing is ever unpickled."""

from __future__ import annotations

import json
import socket
import struct
from typing import Any

HEADER = struct.Struct("!I")


def pack(message: dict[str, Any]) -> bytes:
    """Return a message as it travels. Raises `ValueError` for what JSON cannot hold."""
    body = json.dumps(message, separators=(",", ":")).encode()
    return HEADER.pack(len(body)) + body


def receive(sock: socket.socket) -> dict[str, Any] | None:
    """Wait for a message of the server's; None at the end of the connection."""
    header = _exactly(sock, HEADER.size)
    body = None if header is None else _exactly(sock, HEADER.unpack(header)[0])
    return None if body is None else json.loads(body)


def _exactly(sock: socket.socket, count: int) -> bytes | None:
    held = bytearray()
    while len(held) < count:
        data = sock.recv(min(count - len(held), 1 << 20))
        if not data:
            return None
        held += data
    return bytes(held)


class Reader:
    """Cuts bytes that may come from a hostile process into messages.

    Args:
        longest: bytes of the longest message taken.
    """

    def __init__(self, longest: int) -> None:
        self._longest = longest
        self._held = bytearray()

    @property
    def empty(self) -> bool:
        """Whether no part of a message waits here."""
        return not self._held

    def feed(self, data: bytes) -> list[dict[str, Any]]:
        """Take bytes and return the messages that they complete. Raises `ValueError` for what is none, or too long."""
        self._held += data
        found = []
        while len(self._held) >= HEADER.size:
            length = HEADER.unpack_from(self._held)[0]
            if length > self._longest:
                raise ValueError(f"a message of {length} bytes, where {self._longest} are allowed")
            end = HEADER.size + length
            if len(self._held) < end:
                break
            found.append(_message(bytes(self._held[HEADER.size : end])))
            del self._held[:end]
        return found


def _message(body: bytes) -> dict[str, Any]:
    try:
        message = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"no message: {error}") from None
    if not isinstance(message, dict):
        raise ValueError("no message: not an object")
    return message

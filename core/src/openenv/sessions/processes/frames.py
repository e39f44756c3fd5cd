"""What a server and the process of an environment send each other: length, kind, payload.

A process is not trusted: what it sends is taken as bytes or as JSON, never unpickled, and no frame may be longer than
agreed. What the server sends may be pickled.
"""

from __future__ import annotations

import socket
import sys
from collections import deque
from collections.abc import Iterator
from struct import Struct
from typing import Final

import pydantic_core

from ...errors import ExecutionError, OpenEnvError
from ...wire.values import error_data

HEADER: Final = Struct("<QB")

CALL: Final = 0
"""To the process: a pickled tuple of the encoder's number and the request's fields."""
ENCODER: Final = 1
"""To the process: a pickled encoder; the first has the number 0."""
CLOSE: Final = 2
"""To the process: close the environment, answer, end."""
HANDOVER: Final = 3
"""To the process, before all else: see `handover`."""
DATA: Final = 4
"""From the process: a reply's encoded `data`. Empty once the environment is built, and once it is closed."""
ERROR: Final = 5
"""From the process: an error as JSON."""

CHUNK_BYTES: Final = 64 * 1024

ERROR_BYTES: Final = 64 * 1024
"""Longest error that a process sends; of a longer one, the beginning of its message."""


class FrameTooLong(Exception):
    """The other side announced a frame longer than agreed."""


def frame(kind: int, payload: bytes) -> bytes:
    """Return the bytes of a frame."""
    return HEADER.pack(len(payload), kind) + payload


def pieces(kind: int, payload: bytes) -> tuple[bytes, ...]:
    """Return what to write for a frame, one after the other: a long payload is not copied behind its header."""
    return (frame(kind, payload),) if len(payload) < CHUNK_BYTES else (HEADER.pack(len(payload), kind), payload)


def error_payload(error: BaseException) -> bytes:
    """Return the payload that tells of an error; what is no `OpenEnvError` is told as an `ExecutionError`."""
    told = error if isinstance(error, OpenEnvError) else ExecutionError(f"{type(error).__name__}: {error}")
    try:
        payload = error_data(told)
    except ValueError:  # text that UTF-8 cannot carry
        told = type(told)(ascii(told.message))
        payload = error_data(told)
    if len(payload) <= ERROR_BYTES:
        return payload
    return pydantic_core.to_json({"message": f"{told.message[:1000]} …", "code": told.code or ExecutionError.code})


def send(channel: socket.socket, kind: int, payload: bytes) -> None:
    """Send one frame, blocking."""
    for piece in pieces(kind, payload):
        channel.sendall(piece)


class Frames:
    """Cuts what arrives into frames.

    Args:
        longest: bytes that a payload may have.
    """

    def __init__(self, longest: int) -> None:
        self._longest = longest
        self._buffer = bytearray()

    def feed(self, data: bytes | memoryview) -> Iterator[tuple[int, bytes]]:
        """Yield kind and payload of each frame that `data` completes.

        Raises:
            FrameTooLong: a frame says that it is longer than allowed.
        """
        buffer = self._buffer
        buffer += data
        while len(buffer) >= HEADER.size:
            length, kind = HEADER.unpack_from(buffer)
            if length > self._longest:
                raise FrameTooLong(f"a frame of {length} bytes, where {self._longest} are allowed")
            end = HEADER.size + length
            if len(buffer) < end:
                return
            payload = bytes(memoryview(buffer)[HEADER.size : end])
            del buffer[:end]
            yield kind, payload


class Reader:
    """Reads frames from a socket, blocking."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._frames = Frames(sys.maxsize)
        self._arrived: deque[tuple[int, bytes]] = deque()

    def read(self) -> tuple[int, bytes] | None:
        """Return the next frame's kind and payload, or None at the end of the stream."""
        while not self._arrived:
            data = self._channel.recv(CHUNK_BYTES)
            if not data:
                return None
            self._arrived.extend(self._frames.feed(data))
        return self._arrived.popleft()

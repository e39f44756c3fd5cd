"""The process's end of the channel, blocking or on an event loop."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from . import frames


class Link(Protocol):
    """Receives frames and sends them."""

    async def receive(self) -> tuple[int, bytes] | None:
        """Return the next frame's kind and payload, or None once there are no more."""

    async def send(self, kind: int, payload: bytes) -> None:
        """Send a frame."""


Life = Callable[[Link], Coroutine[Any, Any, None]]
"""What a process does with its link until it ends."""


def live_blocking(life: Life, channel: socket.socket) -> None:
    """Run a life without an event loop: all that it awaits is its link, whose methods wait on the spot.

    Raises:
        RuntimeError: it awaited something else.
    """
    try:
        life(_Blocking(channel)).send(None)
    except StopIteration:
        return
    raise RuntimeError("an environment without an event loop awaited something")


async def live_on_loop(life: Life, channel: socket.socket) -> None:
    """Run a life on the running event loop."""
    is_tcp = sys.platform == "win32" or channel.family != socket.AF_UNIX
    connect = asyncio.open_connection if is_tcp else asyncio.open_unix_connection
    await life(_OnLoop(*await connect(sock=channel)))


class _Blocking:
    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._reader = frames.Reader(channel)

    async def receive(self) -> tuple[int, bytes] | None:
        return self._reader.read()

    async def send(self, kind: int, payload: bytes) -> None:
        frames.send(self._channel, kind, payload)


class _OnLoop:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def receive(self) -> tuple[int, bytes] | None:
        try:
            length, kind = frames.HEADER.unpack(await self._reader.readexactly(frames.HEADER.size))
            return kind, await self._reader.readexactly(length)
        except asyncio.IncompleteReadError:
            return None

    async def send(self, kind: int, payload: bytes) -> None:
        for piece in frames.pieces(kind, payload):
            self._writer.write(piece)
        await self._writer.drain()

"""Messages between the parent and a worker process: maps as JSON, one a line."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Callable
from typing import Any, Self, cast

Message = dict[str, Any]


class Channel(asyncio.Protocol):
    """One end of a pair of sockets.

    Args:
        receive: is given each message.
        lost: is called once the other end is gone.
    """

    def __init__(self, receive: Callable[[Message], None], lost: Callable[[], None]) -> None:
        self._receive = receive
        self._lost = lost
        self._rest = b""
        self._transport: asyncio.WriteTransport

    @classmethod
    async def open(cls, end: socket.socket, receive: Callable[[Message], None], lost: Callable[[], None]) -> Self:
        """Speak over a socket, which is the channel's from now on."""
        _, channel = await asyncio.get_running_loop().create_unix_connection(lambda: cls(receive, lost), sock=end)
        return channel

    def say(self, kind: str, **fields: Any) -> None:
        """Send a message; to an end that is gone it goes nowhere."""
        if not self._transport.is_closing():
            self._transport.write(json.dumps({"type": kind, **fields}).encode() + b"\n")

    def close(self) -> None:
        """Hang up."""
        self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)

    def data_received(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._receive(json.loads(line))

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost()

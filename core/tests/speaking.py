"""A plain client of version 2 of the socket: it says what it is told to, and knows nothing of the rules."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgpack
import websockets
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

JSON, MSGPACK = "openenv.v2.json", "openenv.v2.msgpack"
PATIENCE_S = 10.0


class Speaker:
    """A socket and its codec.

    Attributes:
        hello: the `data` of the server's first message.
    """

    def __init__(self, socket: ClientConnection, codec: str) -> None:
        self.socket = socket
        self.codec = codec
        self.hello: dict[str, Any] = {}

    @property
    def session(self) -> str:
        """What resumes the session."""
        return str(self.hello["session"])

    async def say(self, kind: str, number: Any = None, data: Any = None, **fields: Any) -> None:
        """Send a message; what is None is left out."""
        message = {"type": kind, "id": number, "data": data, **fields}
        await self.say_raw(self.encoded({name: value for name, value in message.items() if value is not None}))

    async def say_raw(self, frame: str | bytes) -> None:
        """Send a frame as it is."""
        await self.socket.send(frame)

    def encoded(self, message: Any) -> str | bytes:
        """Return a message as a frame."""
        return json.dumps(message) if self.codec == JSON else bytes(msgpack.packb(message))

    async def hear_raw(self) -> str | bytes:
        """Return the server's next frame."""
        frame: str | bytes = await asyncio.wait_for(self.socket.recv(), PATIENCE_S)
        assert isinstance(frame, str) == (self.codec == JSON)
        return frame

    async def hear(self) -> dict[str, Any]:
        """Return the server's next message."""
        frame = await self.hear_raw()
        message: dict[str, Any] = json.loads(frame) if self.codec == JSON else msgpack.unpackb(frame)
        return message

    async def ask(self, kind: str, number: Any = None, data: Any = None, **fields: Any) -> dict[str, Any]:
        """Send a request, and return the very next message."""
        await self.say(kind, number, data, **fields)
        return await self.hear()

    async def closed_with(self) -> int | None:
        """Return the code that the server closes with; nothing else may come before."""
        try:
            frame = await asyncio.wait_for(self.socket.recv(), PATIENCE_S)
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else None
        raise AssertionError(f"the server said {frame!r} where it was to close")

    async def vanish(self) -> None:
        """End the socket without a goodbye."""
        self.socket.transport.abort()
        await self.socket.wait_closed()


@asynccontextmanager
async def speaking(url: str, codec: str = JSON, session: str | None = None) -> AsyncIterator[Speaker]:
    """Connect to a server's base URL, to resume a session if one is given, and hear the first message.

    Whatever that is, it is in `hello`: an error where the server refuses.
    """
    offered = [Subprotocol(codec)]
    if session is not None:
        offered.append(Subprotocol(f"openenv.session.{session}"))
    async with websockets.connect(f"ws{url.removeprefix('http')}/ws", subprotocols=offered, compression=None) as socket:
        assert socket.subprotocol == codec
        speaker = Speaker(socket, codec)
        first = await speaker.hear()
        assert first["type"] in ("hello", "error"), first
        speaker.hello = first["data"]
        yield speaker

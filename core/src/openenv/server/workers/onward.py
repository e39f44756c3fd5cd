"""WebSockets that reach a worker process though their session lives in another: their bytes are passed on, both ways."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

from websockets.http11 import Request

from ...wire import v2
from ..websocket_protocol import WebSocketProtocol
from .neighbours import Neighbours


def onward_protocol(neighbours: Neighbours) -> type[WebSocketProtocol]:
    """Return the protocol for the WebSockets of a worker."""

    class Protocol(OnwardProtocol):
        pass

    Protocol.neighbours = neighbours
    return Protocol


class OnwardProtocol(WebSocketProtocol):
    """As `WebSocketProtocol`, but a socket that resumes another worker's session is connected to that worker.

    Where the other cannot be reached, its sessions are no more, and the socket is told so here.
    """

    neighbours: Neighbours
    _head = b""
    _onward: asyncio.Transport | None = None
    _connecting: asyncio.Task[None] | None = None

    def data_received(self, data: bytes) -> None:
        if self._onward is not None:
            self._onward.write(data)
        elif self._connecting is not None:
            self._head += data
        else:
            if not self.handshake_initiated:
                self._head += data
            super().data_received(data)

    def handle_connect(self, event: Request) -> None:
        offered = [name.strip() for line in event.headers.get_all("Sec-WebSocket-Protocol") for name in line.split(",")]
        codec, resumed = v2.choose(offered)
        address = None if codec is None or resumed is None else self.neighbours.of_session(resumed)
        if address is None:
            self._head = b""
            super().handle_connect(event)
        else:
            self._connecting = self.loop.create_task(self._connect(address, event))

    async def _connect(self, address: Path, event: Request) -> None:
        _pause(self.transport)
        try:
            transport, _ = await self.loop.create_unix_connection(lambda: _Return(self), str(address))
        except OSError:
            self._connecting = None
            _resume(self.transport)
            super().handle_connect(event)
            return
        self._onward, self._connecting = transport, None
        if self.transport.is_closing():
            transport.close()
            return
        transport.write(self._head)
        self._head = b""
        _resume(self.transport)

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._onward is not None:
            _pause(self._onward)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._onward is not None:
            _resume(self._onward)

    def shutdown(self) -> None:
        if self._onward is None:
            super().shutdown()
        else:
            self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self._onward is not None:
            self._onward.close() if exc is None else self._onward.abort()


class _Return(asyncio.Protocol):
    """The way back: what the other worker says goes to the client."""

    def __init__(self, client: OnwardProtocol) -> None:
        self._client = client

    def data_received(self, data: bytes) -> None:
        if not self._client.transport.is_closing():
            self._client.transport.write(data)

    def pause_writing(self) -> None:
        _pause(self._client.transport)

    def resume_writing(self) -> None:
        _resume(self._client.transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._client.transport.close()


def _pause(transport: asyncio.Transport) -> None:
    with contextlib.suppress(RuntimeError):  # it is closing
        transport.pause_reading()


def _resume(transport: asyncio.Transport) -> None:
    with contextlib.suppress(RuntimeError):  # it is closing
        transport.resume_reading()

"""The WebSocket transport, protocol version 1."""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import ExitStack
from typing import Any, NoReturn

import websockets.asyncio.client
import websockets.sync.client
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

from ..errors import ConnectError, OpenEnvError, SessionLost, StepTimeout, UnauthorizedError
from ..wire import v1
from ..wire.messages import REPLY_TYPE
from .address import is_loopback
from .transport import Call, Options


class WebSocketEndpoint:
    """A server reached at its `/ws`."""

    def __init__(self, url: str, options: Options) -> None:
        self.url = url
        self.options = options

    def transport(self) -> WebSocketTransport:
        return WebSocketTransport(self.url, self.options)

    def blocking_transport(self) -> BlockingWebSocketTransport:
        return BlockingWebSocketTransport(self.url, self.options)


class WebSocketTransport:
    """One socket, used from one event loop.

    Version 1 numbers nothing: replies come in the order of requests. The transport counts what it has not seen answered,
    so the reply to a call that was given up is recognised and dropped, never handed to the call after it.
    """

    def __init__(self, url: str, options: Options) -> None:
        self._url = url
        self._options = options
        self._socket: websockets.asyncio.client.ClientConnection | None = None
        self._turn = asyncio.Lock()
        self._unanswered = 0

    async def open(self) -> None:
        try:
            self._socket = await websockets.asyncio.client.connect(self._url, **_arguments(self._url, self._options))
        except (OSError, InvalidHandshake, EOFError) as error:
            _refuse(self._url, error)

    async def request(self, call: Call) -> dict[str, Any]:
        try:
            async with asyncio.timeout(call.timeout_s), self._turn:
                return await self._exchange(call)
        except TimeoutError as error:
            if isinstance(error, OpenEnvError):
                raise
            raise _late(call) from None

    async def _exchange(self, call: Call) -> dict[str, Any]:
        socket = self._socket
        if socket is None:
            raise SessionLost("not connected")
        try:
            self._unanswered += 1
            await socket.send(v1.request(call.type, call.data), text=True)
            while True:
                reply = await socket.recv(decode=False)
                self._unanswered -= 1
                if not self._unanswered:
                    return v1.read_reply(reply, REPLY_TYPE[call.type])
        except ConnectionClosed as error:
            raise await self._last_words(socket) or _lost(self._url, error) from None

    async def _last_words(self, socket: websockets.asyncio.client.ClientConnection) -> OpenEnvError | None:
        """Return the error that the server sent before it closed, if it did."""
        try:
            while True:
                if error := v1.error_in(await socket.recv(decode=False)):
                    return error
        except ConnectionClosed:
            return None

    async def close(self) -> None:
        socket, self._socket = self._socket, None
        if socket is not None:
            await socket.close()


class BlockingWebSocketTransport:
    """As `WebSocketTransport`, for threads that wait. A thread of its own answers the server's pings meanwhile."""

    def __init__(self, url: str, options: Options) -> None:
        self._url = url
        self._options = options
        self._open = ExitStack()
        self._socket: websockets.sync.client.ClientConnection | None = None
        self._turn = threading.Lock()
        self._unanswered = 0

    def open(self) -> None:
        try:
            connecting = websockets.sync.client.connect(self._url, **_arguments(self._url, self._options))
            self._socket = self._open.enter_context(connecting)
        except (OSError, InvalidHandshake, EOFError) as error:
            _refuse(self._url, error)

    def request(self, call: Call) -> dict[str, Any]:
        deadline = time.monotonic() + call.timeout_s
        if not self._turn.acquire(timeout=call.timeout_s):
            raise _late(call)
        try:
            return self._exchange(call, deadline)
        except TimeoutError as error:
            if isinstance(error, OpenEnvError):
                raise
            raise _late(call) from None
        finally:
            self._turn.release()

    def _exchange(self, call: Call, deadline: float) -> dict[str, Any]:
        socket = self._socket
        if socket is None:
            raise SessionLost("not connected")
        try:
            self._unanswered += 1
            socket.send(v1.request(call.type, call.data), text=True)
            while True:
                reply = socket.recv(timeout=max(0.0, deadline - time.monotonic()), decode=False)
                self._unanswered -= 1
                if not self._unanswered:
                    return v1.read_reply(reply, REPLY_TYPE[call.type])
        except ConnectionClosed as error:
            raise self._last_words(socket) or _lost(self._url, error) from None

    def _last_words(self, socket: websockets.sync.client.ClientConnection) -> OpenEnvError | None:
        """Return the error that the server sent before it closed, if it did."""
        try:
            while True:
                if error := v1.error_in(socket.recv(decode=False)):
                    return error
        except ConnectionClosed:
            return None

    def close(self) -> None:
        self._socket = None
        self._open.close()


def _arguments(url: str, options: Options) -> dict[str, Any]:
    return {
        "open_timeout": options.connect_timeout_s,
        "ping_interval": options.ping_interval_s,
        "ping_timeout": options.ping_timeout_s,
        "max_size": options.max_message_bytes,
        "additional_headers": dict(options.headers),
        "compression": None,
        "proxy": None if is_loopback(url) else True,
        "close_timeout": 2.0,
    }


def _refuse(url: str, error: Exception) -> NoReturn:
    if isinstance(error, InvalidStatus) and error.response.status_code in (401, 403):
        raise UnauthorizedError(f"{url} refused the connection (HTTP {error.response.status_code})") from None
    reason = "it did not answer in time" if isinstance(error, TimeoutError) else str(error) or type(error).__name__
    raise ConnectError(f"cannot connect to {url}: {reason}; is the server running?") from None


def _lost(url: str, error: ConnectionClosed) -> SessionLost:
    closed = error.rcvd or error.sent
    reason = f"code {closed.code}{f', {closed.reason}' if closed.reason else ''}" if closed else "without a goodbye"
    return SessionLost(f"the connection to {url} ended ({reason}) and its episode with it: reset() starts another")


def _late(call: Call) -> StepTimeout:
    return StepTimeout(f"no reply to {call.type} within {call.timeout_s:g} s; reset() before the next step")

"""The WebSocket transport: which version a server speaks, and version 1, where a session ends with its socket."""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import ExitStack
from typing import Any, cast

import websockets.asyncio.client
import websockets.sync.client
from websockets.exceptions import ConnectionClosed

from ..errors import OpenEnvError, SessionLost
from ..wire import v1, v2
from ..wire.messages import REPLY_TYPE
from ..wire.values import dump_plain
from .async_socket import AsyncSocket
from .blocking_resumable import BlockingResumable
from .blocking_socket import BlockingSocket
from .connecting import FAILURES, OFFERED, arguments, lost, refusal
from .keeper import KEEPER
from .ledger import Ledger
from .resumable import Resumable
from .transport import BlockingTransport, Call, Options, Transport, check_supported, dumped

LAST_WORDS_WITHIN_S = 1.0


class WebSocketEndpoint:
    """A server reached at its `/ws`."""

    def __init__(self, url: str, options: Options) -> None:
        self.url = url
        self.options = options

    def transport(self) -> WebSocketOpening:
        return WebSocketOpening(self)

    def blocking_transport(self) -> BlockingWebSocketOpening:
        return BlockingWebSocketOpening(self)

    async def connect(self, subprotocols: list[str]) -> AsyncSocket:
        """Return an open socket for the running loop. Raises what `connecting.FAILURES` lists."""
        how = arguments(self.url, self.options, subprotocols)
        socket = await websockets.asyncio.client.connect(self.url, create_connection=AsyncSocket, **how)
        return cast("AsyncSocket", socket)

    def connect_blocking(self, subprotocols: list[str], patience_s: float | None = None) -> tuple[BlockingSocket, ExitStack]:
        """Return an open socket, and what closes it, within `patience_s`. Raises what `connecting.FAILURES` lists."""
        how: Any = arguments(self.url, self.options, subprotocols, patience_s) | {"create_connection": BlockingSocket}
        stack = ExitStack()
        socket: Any = stack.enter_context(websockets.sync.client.connect(self.url, **how))
        return socket, stack


class WebSocketOpening:
    """Opens a session of version 2 where the server speaks that, else of version 1; used from one event loop."""

    def __init__(self, endpoint: WebSocketEndpoint) -> None:
        self._endpoint = endpoint

    async def open(self) -> Transport:
        try:
            socket = await self._endpoint.connect(OFFERED)
        except FAILURES as error:
            raise refusal(self._endpoint.url, error) from None
        codec = v2.CODECS.get(socket.subprotocol or "")
        if codec is None:
            return SocketV1(self._endpoint.url, socket)
        return await Resumable(self._endpoint.url, self._endpoint.connect, socket, Ledger(codec)).open()


class BlockingWebSocketOpening:
    """As `WebSocketOpening`, for threads that wait. One thread for all of a process answers pings between calls."""

    def __init__(self, endpoint: WebSocketEndpoint) -> None:
        self._endpoint = endpoint

    def open(self) -> BlockingTransport:
        try:
            socket, stack = self._endpoint.connect_blocking(OFFERED)
        except FAILURES as error:
            raise refusal(self._endpoint.url, error) from None
        codec = v2.CODECS.get(socket.subprotocol or "")
        if codec is None:
            return BlockingSocketV1(self._endpoint.url, socket, stack)
        connect = self._endpoint.connect_blocking
        return BlockingResumable(self._endpoint.url, connect, (socket, stack), Ledger(codec)).open()


class SocketV1:
    """A session of version 1.

    It numbers nothing: replies come in the order of requests. What has not been answered is counted, so the reply to a
    call that was given up is recognised and dropped, never handed to the call after it.
    """

    def __init__(self, url: str, socket: AsyncSocket) -> None:
        self._url = url
        self._socket = socket
        self._turn = asyncio.Lock()
        self._unanswered = 0

    async def request(self, call: Call) -> dict[str, Any]:
        check_supported(call, f"from {self._url}, which speaks the older protocol")
        frame = v1.request(call.type, dumped(dump_plain, call))
        try:
            async with asyncio.timeout(call.timeout_s), self._turn:
                return await self._exchange(call, frame)
        except TimeoutError as error:
            if isinstance(error, OpenEnvError):
                raise
            raise call.late() from None

    async def _exchange(self, call: Call, frame: bytes) -> dict[str, Any]:
        try:
            self._unanswered += 1
            await self._socket.send_all(frame)
            while True:
                reply = await self._socket.receive()
                self._unanswered -= 1
                if not self._unanswered:
                    return v1.read_reply(reply, REPLY_TYPE[call.type])
        except ConnectionClosed as error:
            raise await self._last_words() or lost(self._url, error) from None

    async def _last_words(self) -> OpenEnvError | None:
        """Return the error that the server sent before it closed, if it did."""
        try:
            while True:
                if error := v1.error_in(await self._socket.receive()):
                    return error
        except ConnectionClosed:
            return None

    def lose(self, error: SessionLost) -> None:
        """See `transport.Losable.lose`."""
        self._socket.transport.abort()

    async def close(self) -> None:
        await self._socket.close()


class BlockingSocketV1:
    """As `SocketV1`, for threads that wait."""

    def __init__(self, url: str, socket: BlockingSocket, stack: ExitStack) -> None:
        self._url = url
        self._socket = socket
        self._stack = stack
        self._turn = threading.RLock()
        self._unanswered = 0
        KEEPER.watch(self)

    def request(self, call: Call) -> dict[str, Any]:
        check_supported(call, f"from {self._url}, which speaks the older protocol")
        frame = v1.request(call.type, dumped(dump_plain, call))
        deadline = time.monotonic() + call.timeout_s
        try:
            if not self._turn.acquire(timeout=min(call.timeout_s, threading.TIMEOUT_MAX)):
                raise call.late()
            return self._exchange(call, frame, deadline)
        except TimeoutError as error:
            if isinstance(error, OpenEnvError):
                raise
            raise call.late() from None
        except Exception:
            raise
        except BaseException:
            self._socket.close_socket()  # how far it was read, and what is still to come, is unknown
            raise
        finally:
            try:  # noqa: SIM105 - before `suppress` is entered an interrupt may come
                self._turn.release()
            except RuntimeError:  # one came before this call's turn
                pass

    def _exchange(self, call: Call, frame: bytes, deadline: float) -> dict[str, Any]:
        try:
            self._unanswered += 1
            self._socket.send(frame, deadline)
            while True:
                reply = self._socket.receive(deadline)
                self._unanswered -= 1
                if not self._unanswered:
                    return v1.read_reply(reply, REPLY_TYPE[call.type])
        except ConnectionClosed as error:
            raise self._last_words() or lost(self._url, error) from None

    def _last_words(self) -> OpenEnvError | None:
        """Return the error that the server sent before it closed, if it did."""
        until = time.monotonic() + LAST_WORDS_WITHIN_S
        try:
            while True:
                if error := v1.error_in(self._socket.receive(until)):
                    return error
        except (ConnectionClosed, TimeoutError):
            return None

    def keep(self) -> None:
        """Answer and send pings if nobody calls now; a lost session of this version is lost for good."""
        if self._turn.acquire(blocking=False):
            try:
                self._socket.look_up()
            finally:
                self._turn.release()

    def lose(self, error: SessionLost) -> None:
        """See `transport.Losable.lose`."""
        self._socket.cut()

    def close(self) -> None:
        KEEPER.forget(self)
        with self._turn:
            self._stack.close()

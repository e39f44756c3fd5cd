"""A WebSocket on an event loop: bytes go from the loop's transport to whoever waits, with no task in between."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import time
from collections.abc import Callable
from typing import cast

from websockets.exceptions import ConnectionClosed
from websockets.protocol import State
from websockets.uri import parse_uri

from .frames import Frames
from .transport import Options

CLOSE_WITHIN_S = 2.0


class AsyncSocket(asyncio.Protocol):
    """One connection, used from the loop that opened it.

    Attributes:
        listener: takes each message as it arrives; while there is none, `recv` does.
    """

    def __init__(self, frames: Frames) -> None:
        self._frames = frames
        self._transport: asyncio.Transport | None = None
        self._waiters: list[asyncio.Future[None]] = []
        self._writable: asyncio.Future[None] | None = None
        self._pings: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()
        self.listener: Callable[[bytes], None] | None = None

    @classmethod
    async def connect(cls, url: str, options: Options, subprotocols: list[str], patience_s: float | None = None) -> AsyncSocket:
        """Return an open connection.

        Raises:
            OSError: nobody answers at the address in time.
            InvalidHandshake: what answers is no WebSocket server, or refuses.
            EOFError: the server closed the connection during the handshake.
        """
        uri = parse_uri(url)
        limit_s = options.connect_timeout_s if patience_s is None else min(patience_s, options.connect_timeout_s)
        frames = Frames(uri, options, subprotocols)
        secure = ssl.create_default_context() if uri.secure else None
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(limit_s):
            self: AsyncSocket
            _, self = await loop.create_connection(lambda: cls(frames), uri.host, uri.port, ssl=secure)
            try:
                self._write(frames.greet())
                while not frames.answered:
                    await self._change()
                frames.check_opened()
            except BaseException:
                self.abort()
                raise
        self._watch_pings()
        return self

    @property
    def subprotocol(self) -> str | None:
        """See `Frames.subprotocol`."""
        return self._frames.subprotocol

    @property
    def state(self) -> State:
        """See `Frames.state`."""
        return self._frames.state

    async def send(self, content: bytes, *, text: bool) -> None:
        """Send a message; waits while the network is behind. Raises `ConnectionClosed`."""
        self._write(self._frames.message(content, text))
        if self._writable is not None:
            await asyncio.shield(self._writable)

    async def recv(self) -> bytes:
        """Return the next message. Raises `ConnectionClosed` where none will come any more."""
        frames = self._frames
        while not frames.messages:
            if frames.state is State.CLOSED:
                raise frames.closed()
            await self._change()
        return frames.messages.popleft()

    async def wait_closed(self) -> ConnectionClosed:
        """Return how the connection ended, once it has."""
        while self._frames.state is not State.CLOSED:
            await self._change()
        return self._frames.closed()

    async def close(self) -> None:
        """End the connection; waits shortly for the server's goodbye. Twice does no harm."""
        self._write(self._frames.goodbye())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_WITHIN_S):
                await self.wait_closed()
        self.abort()

    def abort(self) -> None:
        """Drop the connection without a goodbye."""
        if self._pings is not None:
            self._pings.cancel()
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        frames = self._frames
        frames.receive(data)
        reply = frames.to_send()
        if reply:
            self._write(reply)
        if self.listener is not None:
            while frames.messages:
                self.listener(frames.messages.popleft())
        if frames.ending:
            self._loop.call_later(CLOSE_WITHIN_S, self.abort)
        self._wake()

    def connection_lost(self, error: Exception | None) -> None:
        if self._frames.state is not State.CLOSED:
            self._frames.receive(b"")
        if self._pings is not None:
            self._pings.cancel()
        self.resume_writing()
        self._wake()

    def pause_writing(self) -> None:
        self._writable = self._loop.create_future()

    def resume_writing(self) -> None:
        writable, self._writable = self._writable, None
        if writable is not None and not writable.done():
            writable.set_result(None)

    def _write(self, content: bytes) -> None:
        if content and self._transport is not None and not self._transport.is_closing():
            self._transport.write(content)

    async def _change(self) -> None:
        """Wait until something has arrived or ended."""
        waiter = self._loop.create_future()
        self._waiters.append(waiter)
        await waiter

    def _wake(self) -> None:
        if self._waiters:
            waiters, self._waiters = self._waiters, []
            for waiter in waiters:
                if not waiter.done():
                    waiter.set_result(None)

    def _watch_pings(self) -> None:
        """Send a ping when one is due, and look again when the next may be."""
        self._write(self._frames.ping_if_due())
        if self._frames.ending:
            self._loop.call_later(CLOSE_WITHIN_S, self.abort)
        elif self._frames.due_at != float("inf"):
            self._pings = self._loop.call_at(
                self._loop.time() + max(0.01, self._frames.due_at - time.monotonic()), self._watch_pings
            )

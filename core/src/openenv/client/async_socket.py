"""A WebSocket of an event loop: the library opens, keeps and closes it, and plain messages take a short way."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NoReturn

from websockets.asyncio.client import ClientConnection
from websockets.frames import DATA_OPCODES, Frame
from websockets.protocol import Event, State

from ..wire.frames import LONG, MaskedFrames
from .incoming import Incoming


class AsyncSocket(ClientConnection):
    """Hands each message to whoever listens in the moment it arrives, with no task in between.

    Before anybody listens, messages wait for `receive`.

    The library waits for what is to be sent to leave, and for the other side to close the connection. Here such a wait ends:
    nothing may leave for `ping_timeout` seconds at most, and a goodbye takes `close_timeout` at most, whoever says it.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._incoming = Incoming(self.protocol, self._feed_library, self._hand_over)
        self._frames = MaskedFrames()
        self._messages: deque[bytes] = deque()
        self._listener: Callable[[bytes], None] | None = None
        self._news: asyncio.Future[None] | None = None
        self._held = 0
        self._stalling: asyncio.TimerHandle | None = None
        self._ending: asyncio.TimerHandle | None = None

    def write(self, message: bytes) -> None:
        """Send a message. Where the connection is over nothing is sent, and who listens hears of the end."""
        if self.protocol.state is not State.OPEN:
            return
        if self.paused:
            self._held += len(message)
        if len(message) < LONG:
            self.transport.write(self._frames.frame(message, text=self._incoming.is_text))
        else:
            for part in self._frames.parts(message, text=self._incoming.is_text):
                self.transport.write(part)

    async def send_all(self, message: bytes) -> None:
        """As `write`, and wait while the connection has too much to send, or until it is over."""
        self.write(message)
        if self.paused:
            with suppress(OSError):
                await self.drain()

    async def receive(self) -> bytes:
        """Return the next message, for as long as nobody listens. Raises `ConnectionClosed`."""
        while not self._messages:
            if self.connection_lost_waiter.done():
                raise self.close_exc
            self._news = self.loop.create_future()
            await self._news
        return self._messages.popleft()

    async def listen(self, take: Callable[[bytes], None]) -> NoReturn:
        """Let `take` have every message that comes from now on, and those that wait, until the connection ends.

        Raises:
            ConnectionClosed: it ended.
            Exception: what `take` raised; nothing is given to it any more.
        """
        self._news = self.loop.create_future()
        self._listener = take
        while self._messages:
            self._hand_over(self._messages.popleft())
        if not self.connection_lost_waiter.done():
            await self._news
        raise self.close_exc

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Say goodbye, wait a little for the other side's, and close, also where nothing can leave any more."""
        self._end_soon()
        await super().close(code, reason)

    def data_received(self, data: bytes) -> None:
        self._incoming.feed(data)

    def eof_received(self) -> None:
        super().eof_received()
        self._end_soon()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._watch()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._watch_no_more()

    def process_event(self, event: Event) -> None:
        if self.response is None or not isinstance(event, Frame) or event.opcode not in DATA_OPCODES:
            super().process_event(event)
        else:
            self._incoming.add(event)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._watch_no_more()
        if self._ending is not None:
            self._ending.cancel()
        self._listener = None
        del self._incoming  # which leads back here
        self._tell(None)

    def _feed_library(self, data: bytes) -> None:
        super().data_received(data)
        if self.protocol.close_expected():
            self._end_soon()

    def _end_soon(self) -> None:
        """Give the other side a little time to close the connection; then it ends, whatever is still to be sent."""
        if self._ending is None and not self.connection_lost_waiter.done():
            self._ending = self.loop.call_later(self.close_timeout or 0.0, self.transport.abort)

    def _watch(self) -> None:
        """Look after a while whether anything has left of what is held."""
        self._held = self.transport.get_write_buffer_size()
        if self.ping_timeout is not None:
            self._stalling = self.loop.call_later(self.ping_timeout, self._end_stalled)

    def _watch_no_more(self) -> None:
        if self._stalling is not None:
            self._stalling.cancel()
            self._stalling = None

    def _end_stalled(self) -> None:
        if self.transport.get_write_buffer_size() < self._held:
            self._watch()
        else:
            self.transport.abort()

    def _hand_over(self, message: bytes) -> None:
        if self._listener is None:
            self._messages.append(message)
            self._tell(None)
            return
        try:
            self._listener(message)
        except Exception as error:
            self._listener = _drop
            self._tell(error)

    def _tell(self, error: Exception | None) -> None:
        """Wake who waits for a message or for the end."""
        if self._news is not None and not self._news.done():
            if error is None:
                self._news.set_result(None)
            else:
                self._news.set_exception(error)


def _drop(message: bytes) -> None:
    """Take what nobody wants any more."""

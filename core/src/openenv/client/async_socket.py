"""A WebSocket of an event loop: the library opens, keeps and closes it, and plain messages take a short way."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, NoReturn

from websockets.asyncio.client import ClientConnection
from websockets.frames import DATA_OPCODES, Frame
from websockets.protocol import Event, State

from ..wire.frames import FrameSplitter, MaskedFrames
from ..wire.v2 import CODECS

END_OF_HEAD = b"\r\n\r\n"


class AsyncSocket(ClientConnection):
    """Hands each message to whoever listens in the moment it arrives, with no task in between.

    Before anybody listens, messages wait for `receive`.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._head = bytearray()
        self._splitter: FrameSplitter | None = None
        self._frames = MaskedFrames()
        self._text = True
        self._messages: deque[bytes] = deque()
        self._fragments: list[bytes] = []
        self._listener: Callable[[bytes], None] | None = None
        self._news: asyncio.Future[None] | None = None

    def write(self, message: bytes) -> None:
        """Send a message. Where the connection is over nothing is sent, and who listens hears of the end."""
        if self.protocol.state is State.OPEN:
            self.transport.write(self._frames.frame(message, text=self._text))
        elif self.protocol.state is State.CLOSING:
            self.loop.call_later(self.close_timeout or 0.0, self.transport.abort)

    async def send_all(self, message: bytes) -> None:
        """As `write`, and wait while the connection has too much to send."""
        self.write(message)
        if self.paused:
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

    def data_received(self, data: bytes) -> None:
        if self._splitter is not None:
            self._splitter.feed(data)
            return
        self._head += data
        end = self._head.find(END_OF_HEAD)
        if end < 0:
            super().data_received(data)
            return
        after = len(self._head) - end - len(END_OF_HEAD)
        super().data_received(data[: len(data) - after])
        if self.protocol.state is State.OPEN:
            codec = CODECS.get(self.subprotocol or "")
            self._text = codec is None or codec.is_text
            self._splitter = FrameSplitter(
                text=self._text,
                masked=False,
                longest=self.protocol.max_message_size,
                message=self._hand_over,
                rest=super().data_received,
            )
            self._splitter.feed(data[len(data) - after :])
        elif after:
            super().data_received(data[len(data) - after :])

    def process_event(self, event: Event) -> None:
        if self.response is None or not isinstance(event, Frame) or event.opcode not in DATA_OPCODES:
            super().process_event(event)
            return
        self._fragments.append(bytes(event.data))
        if event.fin:
            whole, self._fragments = b"".join(self._fragments), []
            self._hand_over(whole)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._splitter = self._listener = None  # which lead back here
        self._tell(None)

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

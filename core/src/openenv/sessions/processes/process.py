"""A process of an environment, as its server sees it."""

from __future__ import annotations

import asyncio
import logging
import pickle
from collections import deque
from collections.abc import Callable
from typing import cast

import pydantic_core

from ...errors import EnvironmentCrashed, UsageError
from ...wire.messages import Request
from ...wire.values import read_error
from ..calls import Encode
from . import ending, frames
from .handover import PROTOCOL, Handover
from .output import Output

logger = logging.getLogger("openenv.sessions")

LAST_WORDS_S = 1.0
"""After an exit, so long is waited for replies and lines still on their way; after a lost channel, for the exit."""

KNOWN_ENCODERS = 32
BUFFER_BYTES = 32 * 1024


class Process(asyncio.BufferedProtocol):
    """Takes calls, and knows how the process ended. It is the protocol of the channel to the process.

    Args:
        handover: the environment and its terms.
        output: the process's standard error.
        kill: ends the process at once; does no harm where it has ended.

    Attributes:
        built: settles once the environment is built, or with why it is not.
        ended: settles once the process has ended and all that it sent has been read.
        gone: it takes no calls: it was killed, or has ended.
    """

    def __init__(self, handover: Handover, output: Output, kill: Callable[[], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._handover = handover
        self._arriving = memoryview(bytearray(BUFFER_BYTES))
        self._frames = frames.Frames(handover.max_message_bytes + frames.ERROR_BYTES)
        self._output = output
        self._kill = kill
        self._killed = False
        self._exit_code: int | None = None
        self._missing = {"exit", "channel", "output"}
        self._last_words: asyncio.TimerHandle | None = None
        self._transport: asyncio.WriteTransport | None = None
        self._pending: deque[asyncio.Future[bytes]] = deque()
        self._numbers: dict[Encode, int] = {}
        self._encoders: dict[bytes, int] = {}
        self.built = self._expect()
        self.ended: asyncio.Future[None] = self._loop.create_future()
        output.ended.add_done_callback(lambda _: self._miss("output"))

    @property
    def gone(self) -> bool:
        return self._killed or self.ended.done()

    def call(self, request: Request, encode: Encode) -> asyncio.Future[bytes]:
        """Send a request; the future gives the reply's encoded `data`, or raises as `Calls.run` and `EnvironmentCrashed`.

        Calls run in the order in which they are sent; a future that is cancelled changes nothing for the process.
        """
        self.send(frames.CALL, pickle.dumps((self._number(encode), *request), PROTOCOL))
        return self._expect()

    def close(self) -> asyncio.Future[bytes]:
        """Ask the process to close its environment and end; the future settles when the environment is closed."""
        self.send(frames.CLOSE, b"")
        return self._expect()

    def kill(self) -> None:
        """End the process at once."""
        self._killed = self._killed or "exit" in self._missing
        self._kill()

    def send(self, kind: int, payload: bytes) -> None:
        """Send a frame."""
        if self._transport is not None and not self._transport.is_closing():
            for piece in frames.pieces(kind, payload):
                self._transport.write(piece)

    def exited(self, exit_code: int | None) -> None:
        """Take note that the process has ended, with its exit code, or the number of its signal with a minus, if known."""
        self._exit_code = exit_code
        self._miss("exit")

    def crash(self) -> EnvironmentCrashed:
        """Return the error that says how the process ended."""
        return ending.crash(self._handover, self._exit_code, self._output, killed=self._killed)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._arriving

    def buffer_updated(self, nbytes: int) -> None:
        try:
            for kind, payload in self._frames.feed(self._arriving[:nbytes]):
                self._settle(kind, payload)
        except (frames.FrameTooLong, IndexError, TypeError, ValueError) as error:
            logger.warning("the process of %s sent what it must not, and was killed: %s", self._handover.spec.name, error)
            self.kill()

    def connection_lost(self, error: Exception | None) -> None:
        self._miss("channel")

    def _expect(self) -> asyncio.Future[bytes]:
        future: asyncio.Future[bytes] = self._loop.create_future()
        self._pending.append(future)
        return future

    def _settle(self, kind: int, payload: bytes) -> None:
        error = None if kind == frames.DATA else read_error(pydantic_core.from_json(payload))
        future = self._pending.popleft()
        if future.done():
            return
        if error is None:
            future.set_result(payload)
        else:
            future.set_exception(error)
            future.exception()

    def _number(self, encode: Encode) -> int:
        """The number by which the process knows an encoder, which is sent the first time."""
        number = self._numbers.get(encode)
        if number is None:
            try:
                pickled = pickle.dumps(encode, PROTOCOL)
            except (AttributeError, TypeError, pickle.PicklingError) as error:
                raise UsageError(f"an encoder must be a module's function, or a functools.partial of one: {error}") from None
            if pickled not in self._encoders:
                self._encoders[pickled] = len(self._encoders)
                self.send(frames.ENCODER, pickled)
            if len(self._numbers) >= KNOWN_ENCODERS:
                self._numbers.clear()
            number = self._numbers[encode] = self._encoders[pickled]
        return number

    def _miss(self, part: str) -> None:
        """Take note that a part of the process is gone; with the last one it has ended."""
        self._missing.discard(part)
        if not self._missing:
            self._end()
        elif self._last_words is None and part != "output":
            self._last_words = self._loop.call_later(LAST_WORDS_S, self._end)

    def _end(self) -> None:
        if self.ended.done():
            return
        if self._last_words is not None:
            self._last_words.cancel()
        self._kill()
        crash = self.crash()
        while self._pending:
            future = self._pending.popleft()
            if not future.done():
                future.set_exception(crash)
                future.exception()
        if self._transport is not None:
            self._transport.abort()
        self._output.close()
        self.ended.set_result(None)

"""Version 2 of the socket: a session that comes back after its socket was lost."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, cast

from websockets.exceptions import ConnectionClosed

from ..errors import OpenEnvError, SessionLost, StepTimeout
from .async_socket import AsyncSocket
from .connecting import FAILURES, Persistence, refusal
from .ledger import Ledger
from .transport import GRACE_S, Call

logger = logging.getLogger("openenv.client")

GREETING_TIMEOUT_S = 10.0
"""A server that accepts a socket and says nothing for so long is not there."""

NOBODY = (None, 0.0, None)

RETRIED = (*FAILURES, ConnectionClosed)


class Resumable:
    """A session of version 2, used from one event loop.

    Each reply goes to whoever waits for its number in the moment it arrives. A task comes back to the session by itself when
    the socket is lost, also while nobody calls.
    """

    def __init__(
        self, url: str, connect: Callable[[list[str]], Awaitable[AsyncSocket]], socket: AsyncSocket, ledger: Ledger
    ) -> None:
        self._url = url
        self._connect = connect
        self._socket: AsyncSocket | None = socket
        self._caught_up = True
        self._ledger = ledger
        self._loop = asyncio.get_running_loop()
        self._waiters: dict[int, tuple[asyncio.Future[dict[str, Any]], float, Call]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._next_look = math.inf
        self._progress = asyncio.Event()
        self._persistence = Persistence(url)
        self._ended: SessionLost | None = None
        self._reading: asyncio.Task[None] | None = None
        self._saying: set[asyncio.Task[None]] = set()
        self._turn = asyncio.Lock()
        self._queueing = 0

    async def open(self) -> Resumable:
        assert self._socket is not None
        try:
            self._ledger.greet(await asyncio.wait_for(self._socket.receive(), GREETING_TIMEOUT_S))
        except BaseException as error:
            await self._socket.close()
            if isinstance(error, RETRIED):
                raise refusal(self._url, error) from None
            raise
        self._reading = asyncio.create_task(self._read())
        return self

    async def request(self, call: Call) -> dict[str, Any]:
        until = self._loop.time() + call.timeout_s + GRACE_S
        if self._ledger.full or self._queueing:
            await self._room(call, until)
        if self._ended is not None:
            raise type(self._ended)(self._ended.message)
        number, frame = self._ledger.write(call)
        waiter = self._loop.create_future()
        self._waiters[number] = (waiter, until, call)
        if until < self._next_look:
            self._look_at(until)
        try:
            self._write(frame)
            return cast("dict[str, Any]", await waiter)
        except (asyncio.CancelledError, StepTimeout):
            if number in self._ledger.unanswered:
                self._write(self._ledger.cancel(number))
            raise
        finally:
            del self._waiters[number]

    async def _room(self, call: Call, until: float) -> None:
        """Wait, in the order of calls, until one more may be under way. Raises `StepTimeout` past the call's time."""
        self._queueing += 1
        try:
            async with asyncio.timeout_at(until), self._turn:
                while self._ledger.full and self._ended is None:
                    self._progress.clear()
                    await self._progress.wait()
        except TimeoutError:
            raise call.late() from None
        finally:
            self._queueing -= 1

    def _write(self, frame: bytes) -> None:
        """Send a frame if there is a socket for it; what is lost with one is said again on the next."""
        if self._socket is not None and self._caught_up:
            self._socket.write(frame)

    def _look_at(self, when: float) -> None:
        """Look then for calls whose time is over. One timer serves all calls, and is seldom set: most end before it."""
        if self._timer is not None:
            self._timer.cancel()
        self._next_look = when
        self._timer = self._loop.call_at(when, self._end_late_calls)

    def _end_late_calls(self) -> None:
        self._timer, self._next_look = None, math.inf
        now = self._loop.time()
        for waiter, until, call in self._waiters.values():
            if until <= now and not waiter.done():
                waiter.set_exception(call.late())
        if left := [until for _, until, _ in self._waiters.values() if until > now]:
            self._look_at(min(left))

    async def _read(self) -> None:
        try:
            while self._socket is not None:
                try:
                    await self._socket.listen(self._take)
                except ConnectionClosed as closed:
                    self._socket, self._caught_up = None, False
                    self._persistence.lost(closed, self._ledger.resume_window_s)
                    self._socket = await self._come_back()
                    saying = asyncio.create_task(self._say_again(self._socket))
                    self._saying.add(saying)
                    saying.add_done_callback(self._saying.discard)
        except Exception as error:
            self._end(as_lost(error))
            if self._socket is not None:
                await self._socket.close()
        except asyncio.CancelledError:
            if self._ended is None and self._socket is not None:  # the loop is being shut down: say goodbye
                with suppress(TimeoutError, OSError):
                    await asyncio.wait_for(self._socket.close(), 1.0)
            raise
        finally:
            self._end(SessionLost("the task that reads this connection was cancelled: reset() starts another session"))

    def _take(self, frame: bytes) -> None:
        reply = self._ledger.read(frame)
        if reply.number is not None:
            self._persistence.progressed()
        if told := self._ledger.acknowledgement():
            self._write(told)
        self._progress.set()
        waiter, _, _ = self._waiters.get(reply.number or 0, NOBODY)
        if waiter is not None and not waiter.done():
            if reply.error is None:
                waiter.set_result(reply.data)
            else:
                waiter.set_exception(reply.error)

    async def _come_back(self) -> AsyncSocket:
        """Return a new socket of the session. Raises `SessionLost` where that cannot be."""
        while True:
            await asyncio.sleep(self._persistence.pause_s())
            socket = None
            try:
                socket = await self._connect(self._ledger.subprotocols())
                check_subprotocol(socket.subprotocol, self._ledger)
                self._ledger.greet(await asyncio.wait_for(socket.receive(), GREETING_TIMEOUT_S))
            except BaseException as error:
                if socket is not None:
                    socket.transport.abort()  # an orderly goodbye would end the session
                if not isinstance(error, RETRIED):
                    raise
                self._persistence.failed(error)
            else:
                self._persistence.resumed()
                return socket

    async def _say_again(self, socket: AsyncSocket) -> None:
        """Repeat what has no reply, and only then let new requests follow; replies are read meanwhile.

        A socket on which that cannot be done is ended: what is asked on it would never be sent.
        """
        said = 0
        try:
            while waiting := [number for number in self._ledger.unanswered if number > said]:
                said = waiting[0]
                await socket.send_all(self._ledger.unanswered[said])
            if self._socket is socket:
                self._caught_up = True
            if told := self._ledger.arrived():
                await socket.send_all(told)
        except Exception:
            logger.exception("what was asked before could not be repeated")
            socket.transport.abort()

    def _end(self, error: SessionLost) -> None:
        if self._ended is None:
            self._ended = error
        self._progress.set()
        for waiter, _, _ in self._waiters.values():
            if not waiter.done():
                waiter.set_exception(type(error)(error.message))

    def lose(self, error: SessionLost) -> None:
        """See `transport.Losable.lose`."""
        self._end(error)
        if self._reading is not None:
            self._reading.cancel()
        if self._socket is not None:
            self._socket.transport.abort()

    async def close(self) -> None:
        self._end(SessionLost("the client was closed and its episode ended: reset() starts another"))
        if self._timer is not None:
            self._timer.cancel()
        for task in (self._reading, *self._saying):
            if task is not None:
                task.cancel()
                await asyncio.wait([task])
        if self._socket is not None:
            await self._socket.close()


def check_subprotocol(chosen: str | None, ledger: Ledger) -> None:
    """Raise `SessionLost` where a server that once spoke this version does so no more."""
    if chosen != ledger.codec.subprotocol:
        now = chosen or "version 1"
        raise SessionLost(f"the server now speaks {now}, so the episode is gone: reset() starts another")


def as_lost(error: Exception) -> SessionLost:
    """Return what ends a session as the error that its calls get."""
    if isinstance(error, SessionLost):
        return error
    told = error.message if isinstance(error, OpenEnvError) else f"{type(error).__name__}: {error}"
    return SessionLost(f"the session could not go on ({told}), and its episode is gone: reset() starts another")

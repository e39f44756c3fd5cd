"""Version 2 of the socket: a session that comes back after its socket was lost."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import ExitStack, contextmanager, suppress
from socket import SHUT_RDWR
from typing import Any

from websockets.asyncio.client import ClientConnection as AsyncSocket
from websockets.exceptions import ConnectionClosed
from websockets.protocol import State
from websockets.sync.client import ClientConnection as BlockingSocket

from ..errors import OpenEnvError, SessionLost
from .connecting import FAILURES, Persistence, refusal
from .keeper import KEEPER
from .ledger import Ledger, Reply
from .transport import GRACE_S, Call

GREETING_TIMEOUT_S = 10.0
"""A server that accepts a socket and says nothing for so long is not there."""

KEEPING_TIMEOUT_S = 1.0
"""How long the shared thread stays with one lost session before it looks at the next."""

LONG_BYTES = 64 * 1024
"""Frames that a connection's buffers might not take at once."""

RETRIED = (*FAILURES, ConnectionClosed)


class Resumable:
    """A session of version 2, used from one event loop.

    A task reads what comes, hands each reply to whoever waits for its number, and comes back to the session by itself
    when the socket is lost, also while nobody calls.
    """

    def __init__(
        self, url: str, connect: Callable[[list[str]], Awaitable[AsyncSocket]], socket: AsyncSocket, ledger: Ledger
    ) -> None:
        self._url = url
        self._connect = connect
        self._socket: AsyncSocket | None = socket
        self._caught_up = True
        self._ledger = ledger
        self._waiters: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._progress = asyncio.Event()
        self._persistence = Persistence(url)
        self._ended: SessionLost | None = None
        self._reading: asyncio.Task[None] | None = None
        self._sending: set[asyncio.Task[None]] = set()
        self._turn = asyncio.Lock()

    async def open(self) -> None:
        assert self._socket is not None
        try:
            self._ledger.greet(await asyncio.wait_for(self._socket.recv(decode=False), GREETING_TIMEOUT_S))
        except BaseException as error:
            await self._socket.close()
            if isinstance(error, RETRIED):
                raise refusal(self._url, error) from None
            raise
        self._reading = asyncio.create_task(self._read())

    async def request(self, call: Call) -> dict[str, Any]:
        try:
            async with asyncio.timeout(call.timeout_s + GRACE_S):
                async with self._turn:
                    while self._ledger.full and self._ended is None:
                        self._progress.clear()
                        await self._progress.wait()
                return await self._exchange(call)
        except TimeoutError as error:
            if isinstance(error, OpenEnvError):
                raise
            raise call.late() from None

    async def _exchange(self, call: Call) -> dict[str, Any]:
        if self._ended is not None:
            raise type(self._ended)(self._ended.message)
        number, frame = self._ledger.write(call)
        waiter: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._waiters[number] = waiter
        try:
            await self._send(frame)
            return await waiter
        except asyncio.CancelledError:
            self._aside(self._send(self._ledger.cancel(number)))
            raise
        finally:
            self._waiters.pop(number, None)

    async def _send(self, frame: bytes) -> None:
        """Send a frame if there is a socket for it; what is lost with one is said again on the next."""
        if self._socket is not None and self._caught_up:
            with suppress(ConnectionClosed):
                await self._socket.send(frame, text=self._ledger.codec.is_text)

    def _aside(self, work: Coroutine[Any, Any, None]) -> None:
        """Send something and wait for nothing: a socket that takes no more must not hold up who has no time."""
        sending = asyncio.create_task(work)
        self._sending.add(sending)
        sending.add_done_callback(self._sending.discard)

    async def _read(self) -> None:
        try:
            while self._socket is not None:
                try:
                    while True:
                        self._take(await self._socket.recv(decode=False))
                except ConnectionClosed as closed:
                    self._socket, self._caught_up = None, False
                    self._persistence.lost(closed, self._ledger.resume_window_s)
                    self._socket = await self._come_back()
                    self._aside(self._say_again(self._socket))
        except Exception as error:
            self._end(_as_lost(error))
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
            self._aside(self._send(told))
        self._progress.set()
        waiter = self._waiters.get(reply.number or 0)
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
                self._ledger.greet(await asyncio.wait_for(socket.recv(decode=False), GREETING_TIMEOUT_S))
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
        """Repeat what has no reply, and only then let new requests follow; replies are read meanwhile."""
        text = self._ledger.codec.is_text
        said = 0
        with suppress(ConnectionClosed):
            while waiting := [number for number in self._ledger.unanswered if number > said]:
                said = waiting[0]
                await socket.send(self._ledger.unanswered[said], text=text)
            self._caught_up = self._socket is socket
            if told := self._ledger.arrived():
                await socket.send(told, text=text)

    def _end(self, error: SessionLost) -> None:
        if self._ended is None:
            self._ended = error
        self._progress.set()
        for waiter in self._waiters.values():
            if not waiter.done():
                waiter.set_exception(type(error)(error.message))

    async def close(self) -> None:
        self._end(SessionLost("the client was closed and its episode ended: reset() starts another"))
        for task in (self._reading, *self._sending):
            if task is not None:
                task.cancel()
                await asyncio.wait([task])
        if self._socket is not None:
            await self._socket.close()


class BlockingResumable:
    """As `Resumable`, for threads that wait: the thread that calls does the reading.

    A shared thread comes back to sessions whose socket is lost while nobody calls.
    """

    def __init__(
        self,
        url: str,
        connect: Callable[[list[str], float], tuple[BlockingSocket, ExitStack]],
        connected: tuple[BlockingSocket, ExitStack],
        ledger: Ledger,
    ) -> None:
        self._url = url
        self._connect = connect
        self._socket, self._stack = connected
        self._ledger = ledger
        self._persistence = Persistence(url)
        self._turn = threading.Lock()
        self._ended: SessionLost | None = None

    def open(self) -> None:
        try:
            self._ledger.greet(self._socket.recv(timeout=GREETING_TIMEOUT_S, decode=False))
        except BaseException as error:
            self._stack.close()
            if isinstance(error, RETRIED):
                raise refusal(self._url, error) from None
            raise
        KEEPER.watch(self)

    def request(self, call: Call) -> dict[str, Any]:
        deadline = time.monotonic() + call.timeout_s + GRACE_S
        if not self._turn.acquire(timeout=min(call.timeout_s + GRACE_S, threading.TIMEOUT_MAX)):
            raise call.late()
        try:
            return self._exchange(call, deadline)
        except TimeoutError as error:
            if isinstance(error, OpenEnvError):
                raise
            raise call.late() from None
        except SessionLost as error:
            self._ended = error
            raise
        except OpenEnvError:
            raise
        except Exception as error:
            self._ended = _as_lost(error)
            raise self._ended from error
        finally:
            self._turn.release()

    def _exchange(self, call: Call, deadline: float) -> dict[str, Any]:
        if self._ended is not None:
            raise type(self._ended)(self._ended.message)
        while self._ledger.full:
            self._receive(deadline)
        number, frame = self._ledger.write(call)
        try:
            self._send(frame, deadline)
            while (reply := self._receive(deadline)).number != number:
                pass
        except TimeoutError:
            self._send(self._ledger.cancel(number), deadline)
            raise
        if reply.error is not None:
            raise reply.error
        return reply.data

    def _send(self, frame: bytes, deadline: float) -> None:
        """Send a frame; what is lost with its socket is said again on the next."""
        with suppress(ConnectionClosed), _cut_at(deadline, self._socket, len(frame)):
            self._socket.send(frame, text=self._ledger.codec.is_text)

    def _receive(self, deadline: float) -> Reply:
        """Return what the server says next. Raises `TimeoutError` past the deadline, and `SessionLost`."""
        while True:
            try:
                frame = self._socket.recv(timeout=max(0.0, deadline - time.monotonic()), decode=False)
            except ConnectionClosed as closed:
                self._persistence.lost(closed, self._ledger.resume_window_s)
                self._come_back(deadline)
                continue
            reply = self._ledger.read(frame)
            if reply.number is not None:
                self._persistence.progressed()
            if told := self._ledger.acknowledgement():
                self._send(told, deadline)
            return reply

    def _come_back(self, deadline: float) -> None:
        """See `Resumable._come_back`. Raises `TimeoutError` past the deadline."""
        self._stack.close()
        while True:
            pause_s = self._persistence.pause_s()
            if time.monotonic() + pause_s > deadline:
                raise TimeoutError
            time.sleep(pause_s)
            stack = None
            try:
                socket, stack = self._connect(self._ledger.subprotocols(), max(0.01, deadline - time.monotonic()))
                check_subprotocol(socket.subprotocol, self._ledger)
                patience_s = min(GREETING_TIMEOUT_S, max(0.0, deadline - time.monotonic()))
                self._ledger.greet(socket.recv(timeout=patience_s, decode=False))
                self._say_again(socket, deadline)
            except BaseException as error:
                if stack is not None:
                    _cut(socket)  # an orderly goodbye would end the session
                    stack.close()
                if isinstance(error, RETRIED):
                    self._persistence.failed(error)
                else:
                    raise _as_lost(error) if isinstance(error, Exception) else error from None
            else:
                self._persistence.resumed()
                self._socket, self._stack = socket, stack
                return

    def _say_again(self, socket: BlockingSocket, deadline: float) -> None:
        frames = [*filter(None, [self._ledger.arrived()]), *self._ledger.unanswered.values()]
        with _cut_at(deadline, socket, sum(map(len, frames))):
            for frame in frames:
                socket.send(frame, text=self._ledger.codec.is_text)

    def keep(self) -> None:
        """Come back to the session if its socket was lost and nobody calls now."""
        if self._socket.state is not State.CLOSED or not self._turn.acquire(blocking=False):
            return
        try:
            while self._ended is None and self._socket.state is State.CLOSED:
                self._receive(time.monotonic() + KEEPING_TIMEOUT_S)
        except TimeoutError:
            return
        except SessionLost as error:
            self._ended = error
        finally:
            self._turn.release()

    def close(self) -> None:
        KEEPER.forget(self)
        with self._turn:
            self._ended = SessionLost("the client was closed and its episode ended: reset() starts another")
            self._stack.close()


def check_subprotocol(chosen: str | None, ledger: Ledger) -> None:
    """Raise `SessionLost` where a server that once spoke this version does so no more."""
    if chosen != ledger.codec.subprotocol:
        now = chosen or "version 1"
        raise SessionLost(f"the server now speaks {now}, so the episode is gone: reset() starts another")


def _as_lost(error: Exception) -> SessionLost:
    """Return what ends a session as the error that its calls get."""
    if isinstance(error, SessionLost):
        return error
    told = error.message if isinstance(error, OpenEnvError) else f"{type(error).__name__}: {error}"
    return SessionLost(f"the session could not go on ({told}), and its episode is gone: reset() starts another")


def _cut(socket: BlockingSocket) -> None:
    """End a socket without a goodbye."""
    with suppress(OSError):
        socket.socket.shutdown(SHUT_RDWR)


@contextmanager
def _cut_at(deadline: float, socket: BlockingSocket, size: int) -> Iterator[None]:
    """End a socket that has not taken long frames by a deadline: the library would wait for ever."""
    if size < LONG_BYTES:
        yield
        return
    timer = threading.Timer(min(max(0.0, deadline - time.monotonic()), threading.TIMEOUT_MAX), _cut, [socket])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()

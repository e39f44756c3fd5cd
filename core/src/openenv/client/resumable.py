"""Version 2 of the socket: a session that comes back after its socket was lost."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from contextlib import ExitStack, suppress
from typing import Any

from websockets.asyncio.client import ClientConnection as AsyncSocket
from websockets.exceptions import ConnectionClosed
from websockets.protocol import State
from websockets.sync.client import ClientConnection as BlockingSocket

from ..errors import OpenEnvError, SessionLost, UsageError
from .connecting import FAILURES, Persistence, final
from .keeper import KEEPER
from .ledger import Ledger
from .transport import GRACE_S, Call

GREETING_TIMEOUT_S = 10.0
"""A server that accepts a socket and says nothing for so long is not there."""


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
        self._ledger = ledger
        self._waiters: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._progress = asyncio.Event()
        self._ended: OpenEnvError | None = None
        self._reading: asyncio.Task[None] | None = None

    async def open(self) -> None:
        assert self._socket is not None
        try:
            self._ledger.greet(await asyncio.wait_for(self._socket.recv(decode=False), GREETING_TIMEOUT_S))
        except BaseException as error:
            await self._socket.close()
            if isinstance(error, ConnectionClosed):
                raise final(self._url, error) or SessionLost(f"{self._url} closed the connection at once") from None
            raise
        self._reading = asyncio.create_task(self._read())

    async def request(self, call: Call) -> dict[str, Any]:
        try:
            async with asyncio.timeout(call.timeout_s + GRACE_S):
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
            await self._send(self._ledger.cancel(number))
            raise
        finally:
            self._waiters.pop(number, None)

    async def _send(self, frame: bytes) -> None:
        """Send a frame if there is a socket; what is lost with one is said again on the next."""
        if self._socket is not None:
            with suppress(ConnectionClosed):
                await self._socket.send(frame, text=self._ledger.codec.is_text)

    async def _read(self) -> None:
        try:
            while True:
                socket = self._socket
                assert socket is not None
                try:
                    while True:
                        self._take(await socket.recv(decode=False))
                except ConnectionClosed as closed:
                    if error := final(self._url, closed):
                        self._end(error)
                        return
                    self._socket = None
                    await self._come_back(closed)
        except OpenEnvError as error:
            self._end(error)

    def _take(self, frame: bytes) -> None:
        reply = self._ledger.read(frame)
        self._progress.set()
        waiter = self._waiters.get(reply.number or 0)
        if waiter is not None and not waiter.done():
            if reply.error is None:
                waiter.set_result(reply.data)
            else:
                waiter.set_exception(reply.error)

    async def _come_back(self, closed: ConnectionClosed) -> None:
        """Resume on a new socket and say again what has no reply. Raises `SessionLost` where that cannot be."""
        persistence = Persistence(self._url, self._ledger.resume_window_s, closed)
        for pause_s in persistence.pauses():
            await asyncio.sleep(pause_s)
            socket = None
            try:
                socket = await self._connect(self._ledger.subprotocols())
                self._ledger.greet(await asyncio.wait_for(socket.recv(decode=False), GREETING_TIMEOUT_S))
                said = 0
                while waiting := [number for number in self._ledger.unanswered if number > said]:
                    for number in waiting:
                        await socket.send(self._ledger.unanswered.get(number, b""), text=self._ledger.codec.is_text)
                        said = number
            except (*FAILURES, ConnectionClosed) as error:
                if socket is not None:
                    await socket.close()
                persistence.failed(error)
            except BaseException:
                if socket is not None:
                    await socket.close()
                raise
            else:
                self._socket = socket
                return

    def _end(self, error: OpenEnvError) -> None:
        self._ended = error
        self._progress.set()
        for waiter in self._waiters.values():
            if not waiter.done():
                waiter.set_exception(type(error)(error.message))

    async def close(self) -> None:
        self._end(SessionLost("the client was closed and its episode ended: reset() starts another"))
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.wait([self._reading])
        if self._socket is not None:
            await self._socket.close()


class BlockingResumable:
    """As `Resumable`, for threads that wait: the thread that calls does the reading.

    A shared thread comes back to sessions whose socket is lost while nobody calls.
    """

    def __init__(
        self,
        url: str,
        connect: Callable[[list[str]], tuple[BlockingSocket, ExitStack]],
        connected: tuple[BlockingSocket, ExitStack],
        ledger: Ledger,
    ) -> None:
        self._url = url
        self._connect = connect
        self._socket, self._stack = connected
        self._ledger = ledger
        self._turn = threading.Lock()
        self._ended: OpenEnvError | None = None

    def open(self) -> None:
        try:
            self._ledger.greet(self._socket.recv(timeout=GREETING_TIMEOUT_S, decode=False))
        except BaseException as error:
            self._stack.close()
            if isinstance(error, ConnectionClosed):
                raise final(self._url, error) or SessionLost(f"{self._url} closed the connection at once") from None
            raise
        KEEPER.watch(self)

    def request(self, call: Call) -> dict[str, Any]:
        deadline = time.monotonic() + call.timeout_s + GRACE_S
        if not self._turn.acquire(timeout=call.timeout_s + GRACE_S):
            raise call.late()
        try:
            return self._exchange(call, deadline)
        except TimeoutError as error:
            if isinstance(error, OpenEnvError):
                raise
            raise call.late() from None
        except OpenEnvError as error:
            if isinstance(error, SessionLost):
                self._ended = error
            raise
        finally:
            self._turn.release()

    def _exchange(self, call: Call, deadline: float) -> dict[str, Any]:
        if self._ended is not None:
            raise type(self._ended)(self._ended.message)
        if self._ledger.full:
            raise UsageError("too many calls of this session were given up and never answered: reset() on another client")
        number, frame = self._ledger.write(call)
        text = self._ledger.codec.is_text
        sent = False
        try:
            while True:
                try:
                    if not sent:
                        self._socket.send(frame, text=text)
                        sent = True
                    reply = self._ledger.read(self._socket.recv(timeout=max(0.0, deadline - time.monotonic()), decode=False))
                except ConnectionClosed as closed:
                    self._come_back(closed, deadline)
                    sent = True
                    continue
                if reply.number == number:
                    if reply.error is not None:
                        raise reply.error
                    return reply.data
        except TimeoutError:
            with suppress(ConnectionClosed):
                self._socket.send(self._ledger.cancel(number), text=text)
            raise

    def _come_back(self, closed: ConnectionClosed, deadline: float | None = None) -> None:
        """See `Resumable._come_back`. Raises `TimeoutError` past the deadline."""
        if ended := final(self._url, closed):
            raise ended
        self._stack.close()
        persistence = Persistence(self._url, self._ledger.resume_window_s, closed)
        for pause_s in persistence.pauses():
            if deadline is not None and time.monotonic() + pause_s > deadline:
                raise TimeoutError
            time.sleep(pause_s)
            stack = ExitStack()
            try:
                socket, stack = self._connect(self._ledger.subprotocols())
                self._ledger.greet(socket.recv(timeout=GREETING_TIMEOUT_S, decode=False))
                for frame in self._ledger.unanswered.values():
                    socket.send(frame, text=self._ledger.codec.is_text)
            except (*FAILURES, ConnectionClosed) as error:
                stack.close()
                persistence.failed(error)
            except BaseException:
                stack.close()
                raise
            else:
                self._socket, self._stack = socket, stack
                return

    def keep(self) -> None:
        """Come back to the session if its socket was lost and nobody calls now."""
        if self._ended is not None or self._socket.state is not State.CLOSED or not self._turn.acquire(blocking=False):
            return
        try:
            self._socket.recv(timeout=0)
        except ConnectionClosed as closed:
            with suppress(TimeoutError):
                self._come_back(closed, time.monotonic() + 1.0)
        except TimeoutError:
            return
        except OpenEnvError as error:
            self._ended = error
        finally:
            self._turn.release()

    def close(self) -> None:
        self._ended = SessionLost("the client was closed and its episode ended: reset() starts another")
        KEEPER.forget(self)
        self._stack.close()

"""Version 2 of the socket for threads that wait: a session that comes back after its socket was lost."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, cast

from websockets.exceptions import ConnectionClosed

from ..errors import OpenEnvError, SessionLost
from .blocking_socket import BlockingSocket
from .connecting import Persistence, refusal
from .keeper import KEEPER
from .ledger import Ledger, Reply
from .resumable import GREETING_TIMEOUT_S, RETRIED, as_lost, check_subprotocol
from .transport import GRACE_S, Call

KEEPING_TIMEOUT_S = 1.0
"""How long the shared thread stays with one lost session before it looks at the next."""

LONG_BYTES = 64 * 1024
"""Frames that a connection's buffers might not take at once."""


class BlockingResumable:
    """As `resumable.Resumable`, for threads that wait: the thread that calls does the reading.

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

    def open(self) -> BlockingResumable:
        try:
            self._ledger.greet(self._socket.receive(GREETING_TIMEOUT_S))
        except BaseException as error:
            self._stack.close()
            if isinstance(error, RETRIED):
                raise refusal(self._url, error) from None
            raise
        KEEPER.watch(self)
        return self

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
            self._ended = as_lost(error)
            raise self._ended from error
        except BaseException:
            self._socket.close_socket()  # what was read by half is said again on the next
            raise
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
        return cast("dict[str, Any]", reply.data)

    def _send(self, frame: bytes, deadline: float) -> None:
        """Send a frame; what is lost with its socket is said again on the next."""
        if len(frame) < LONG_BYTES:
            self._socket.send(frame)
            return
        with _cut_at(deadline, self._socket):
            self._socket.send(frame)

    def _receive(self, deadline: float) -> Reply:
        """Return what the server says next. Raises `TimeoutError` past the deadline, and `SessionLost`."""
        while True:
            try:
                frame = self._socket.receive(deadline - time.monotonic())
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
                self._ledger.greet(socket.receive(patience_s))
                self._say_again(socket, deadline)
            except BaseException as error:
                if stack is not None:
                    socket.cut()  # an orderly goodbye would end the session
                    stack.close()
                if isinstance(error, RETRIED):
                    self._persistence.failed(error)
                else:
                    raise as_lost(error) if isinstance(error, Exception) else error from None
            else:
                self._persistence.resumed()
                self._socket, self._stack = socket, stack
                return

    def _say_again(self, socket: BlockingSocket, deadline: float) -> None:
        frames = [*filter(None, [self._ledger.arrived()]), *self._ledger.unanswered.values()]
        with _cut_at(deadline, socket):
            for frame in frames:
                socket.send(frame)

    def keep(self) -> None:
        """If nobody calls now, answer and send pings, and come back to the session where its socket was lost."""
        if not self._turn.acquire(blocking=False):
            return
        try:
            self._socket.look_up()
            while self._ended is None and self._socket.is_closed:
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


@contextmanager
def _cut_at(deadline: float, socket: BlockingSocket) -> Iterator[None]:
    """End a socket that has not taken what it is given by a deadline: sending waits for ever."""
    timer = threading.Timer(min(max(0.0, deadline - time.monotonic()), threading.TIMEOUT_MAX), socket.cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()

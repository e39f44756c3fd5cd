"""Version 2 of the socket for threads that wait: a session that comes back after its socket was lost."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
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
"""How long a shared thread stays with one lost session before it turns to the next."""


class BlockingResumable:
    """As `resumable.Resumable`, for threads that wait: the thread that calls does the reading.

    Shared threads come back to sessions whose socket is lost while nobody calls.
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
        self._turn = threading.RLock()
        self._ended: SessionLost | None = None

    def open(self) -> BlockingResumable:
        try:
            self._ledger.greet(self._socket.receive(time.monotonic() + GREETING_TIMEOUT_S))
        except BaseException as error:
            self._stack.close()
            if isinstance(error, RETRIED):
                raise refusal(self._url, error) from None
            raise
        KEEPER.watch(self)
        return self

    def request(self, call: Call) -> dict[str, Any]:
        deadline = time.monotonic() + call.timeout_s + GRACE_S
        try:
            if not self._turn.acquire(timeout=min(call.timeout_s + GRACE_S, threading.TIMEOUT_MAX)):
                raise call.late()
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
            try:  # noqa: SIM105 - before `suppress` is entered an interrupt may come
                self._turn.release()
            except RuntimeError:  # one came before this call's turn
                pass

    def _exchange(self, call: Call, deadline: float) -> dict[str, Any]:
        self._check_ended()
        while self._ledger.full:
            self._receive(deadline)
        number, frame = self._ledger.write(call)
        try:
            self._socket.send(frame, deadline)
            while (reply := self._receive(deadline)).number != number:
                pass
        except TimeoutError:
            self._socket.send(self._ledger.cancel(number), deadline)
            raise
        if reply.error is not None:
            raise reply.error
        return cast("dict[str, Any]", reply.data)

    def _receive(self, deadline: float) -> Reply:
        """Return what the server says next. Raises `TimeoutError` past the deadline, and `SessionLost`."""
        while True:
            try:
                frame = self._socket.receive(deadline)
            except ConnectionClosed as closed:
                self._recover(closed, deadline)
                continue
            return self._read(frame, deadline)

    def _read(self, frame: bytes, deadline: float) -> Reply:
        reply = self._ledger.read(frame)
        if reply.number is not None:
            self._persistence.progressed()
        if told := self._ledger.acknowledgement():
            self._socket.send(told, deadline)
        return reply

    def _recover(self, closed: ConnectionClosed, deadline: float) -> None:
        """Come back after a socket's end. Raises as `_receive` does."""
        self._check_ended()
        self._persistence.lost(closed, self._ledger.resume_window_s)
        self._come_back(deadline)

    def _come_back(self, deadline: float) -> None:
        """See `Resumable._come_back`. Raises `TimeoutError` past the deadline."""
        self._stack.close()
        while True:
            pause_s = self._persistence.pause_s()
            if time.monotonic() + pause_s > deadline:
                raise TimeoutError
            time.sleep(pause_s)
            self._check_ended()
            stack = None
            try:
                socket, stack = self._connect(self._ledger.subprotocols(), max(0.01, deadline - time.monotonic()))
                check_subprotocol(socket.subprotocol, self._ledger)
                self._ledger.greet(socket.receive(min(time.monotonic() + GREETING_TIMEOUT_S, deadline)))
                for frame in (*filter(None, [self._ledger.arrived()]), *self._ledger.unanswered.values()):
                    socket.send(frame, deadline)
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
                self._check_ended()
                return

    def _check_ended(self) -> None:
        if self._ended is not None:
            raise type(self._ended)(self._ended.message)

    def keep(self) -> Callable[[], None] | None:
        """See `keeper.Kept.keep`."""
        if not self._turn.acquire(blocking=False):
            return None
        try:
            self._socket.look_up()
            return self._come_back_unasked if self._socket.is_closed and self._ended is None else None
        finally:
            self._turn.release()

    def _come_back_unasked(self) -> None:
        """If nobody calls now, come back to the session."""
        if not self._turn.acquire(blocking=False):
            return
        try:
            deadline = time.monotonic() + KEEPING_TIMEOUT_S
            try:
                while self._ended is None:
                    self._read(self._socket.receive(0.0), deadline)  # what came before the end
            except ConnectionClosed as closed:
                self._recover(closed, deadline)
        except TimeoutError:
            return
        except SessionLost as error:
            self._ended = error
        finally:
            self._turn.release()

    def lose(self, error: SessionLost) -> None:
        """See `transport.Losable.lose`."""
        self._ended = error
        self._socket.cut()

    def close(self) -> None:
        KEEPER.forget(self)
        with self._turn:
            self._ended = SessionLost("the client was closed and its episode ended: reset() starts another")
            self._stack.close()

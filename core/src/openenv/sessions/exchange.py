"""The numbered messages of a session (protocol version 2): what was asked, what was answered, and what has arrived."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NoReturn

from ..errors import InvalidActionError, InvalidMessageError, OpenEnvError, SessionError
from ..wire import messages, v2
from ..wire.codec import Codec
from ..wire.v2 import Incoming
from .session import Session
from .ticket import Ticket

UNNUMBERED = frozenset({messages.CLOSE, messages.ACK, messages.CANCEL})


class OutOfPlace(Exception):
    """A message that breaks the numbering; the socket is closed, and the session can be resumed."""


class Exchange:
    """Runs each numbered request once and keeps its reply until the client says that it has it.

    Outlives sockets: `attach` names the one that replies go to, `detach` takes it away.

    Args:
        session: whose requests these are.
        codec: how its messages are written, on all its sockets.
        strict_reset: refuse reset arguments that the environment does not take.
        max_unacked_bytes: of replies kept; above it no call starts.
    """

    def __init__(self, session: Session, codec: Codec, *, strict_reset: bool, max_unacked_bytes: int) -> None:
        self.session = session
        self.codec = codec
        self._strict_reset = strict_reset
        self._max_unacked_bytes = max_unacked_bytes
        self._send: Callable[[bytes], None] | None = None
        self._last = 0
        self._acked = 0
        self._running: dict[int, Ticket] = {}
        self._replies: dict[int, bytes] = {}
        self._held_bytes = 0
        self._full = False

    @property
    def begun(self) -> bool:
        """Whether a request has ever come."""
        return self._last > 0

    def attach(self, send: Callable[[bytes], None]) -> None:
        """Send replies there from now on."""
        self._send = send

    def detach(self, send: Callable[[bytes], None]) -> None:
        """Send no more there; does nothing where another has been attached since."""
        if self._send == send:
            self._send = None

    def receive(self, frame: str | bytes) -> bool:
        """Take a client's frame; return False where it asks to close the session.

        What a request does wrong is answered with an error under its number.

        Raises:
            OutOfPlace: its number cannot be read, skips one, or lies too far ahead.
        """
        try:
            incoming = v2.read_message(self.codec, frame)
        except InvalidMessageError as error:
            self._refuse(error)
        kind, number, ack, _ = incoming
        if ack is not None and ack != self._acked:
            self._acknowledge(ack)
        if number == self._last + 1 and kind not in UNNUMBERED:
            self._begin(incoming, number)
        elif kind == messages.CLOSE:
            return False
        elif kind in UNNUMBERED:
            self._control(incoming)
        elif number is None:
            self._refuse(SessionError("every request carries an id: 1, 2, 3, …"))
        elif number > self._last:
            self._refuse(SessionError(f"id {number} after {self._last}: ids go 1, 2, 3, … for the session's whole life"))
        elif number in self._replies:
            self._say(self._replies[number])
        return True

    def _begin(self, incoming: Incoming, number: int) -> None:
        if number > self._acked + messages.MAX_IN_FLIGHT:
            ahead = messages.MAX_IN_FLIGHT
            self._refuse(SessionError(f"id {number} is more than {ahead} ahead of the last acknowledged, {self._acked}"))
        self._last = number
        try:
            request = v2.read_request(incoming, self._strict_reset)
            ticket = self.session.submit(request, self.codec, request.timeout_s)
        except Exception as error:
            self._settle(number, v2.error_frame(self.codec, number, _told(error)))
            return
        if ticket.done:
            self._answer(number, ticket)
        else:
            self._running[number] = ticket
            ticket.tell(partial(self._answer, number))

    def _answer(self, number: int, ticket: Ticket) -> None:
        self._running.pop(number, None)
        if ticket.error is None:
            frame = self.codec.wrap(messages.REPLY_TYPE[ticket.request.type], number, ticket.data)
        else:
            frame = v2.error_frame(self.codec, number, _told(ticket.error))
        self._settle(number, frame)

    def _settle(self, number: int, frame: bytes) -> None:
        if number > self._acked:
            self._replies[number] = frame
            self._held_bytes += len(frame)
            self._hold()
        self._say(frame)

    def _control(self, incoming: Incoming) -> None:
        """Do what an `ack` or a `cancel` of its own says; neither is answered."""
        data: Any = incoming.message.get("data")
        number = data.get("ack" if incoming.type == messages.ACK else "id") if isinstance(data, dict) else None
        if type(number) is not int or number < 0:
            self._refuse(InvalidActionError(f"a message of type {incoming.type} names a number"))
        if incoming.type == messages.ACK:
            self._acknowledge(number)
        elif (ticket := self._running.get(number)) is not None:
            self.session.give_up(ticket)

    def _acknowledge(self, number: int) -> None:
        if number > self._last:
            self._refuse(SessionError(f"ack {number} of a request that was never sent"))
        for arrived in range(self._acked + 1, number + 1):
            self._held_bytes -= len(self._replies.pop(arrived, b""))
        self._acked = max(self._acked, number)
        self._hold()

    def _hold(self) -> None:
        full = self._held_bytes > self._max_unacked_bytes
        if full is not self._full:
            self._full = full
            self.session.hold(full)

    def _say(self, frame: bytes) -> None:
        if self._send is not None:
            self._send(frame)

    def _refuse(self, error: OpenEnvError) -> NoReturn:
        self._say(v2.error_frame(self.codec, None, error))
        raise OutOfPlace(error.message) from None


def _told(error: BaseException) -> OpenEnvError:
    return error if isinstance(error, OpenEnvError) else SessionError(f"{type(error).__name__}: {error}")

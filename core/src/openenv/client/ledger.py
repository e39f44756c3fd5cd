"""A client's side of the numbered messages: what was asked, what was answered, what to say again. No I/O."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from ..errors import OpenEnvError, SessionLost, UsageError
from ..wire import messages
from ..wire.codec import Codec
from ..wire.v2 import SESSION_PREFIX
from ..wire.values import read_error
from .transport import Call, dumped

SHORTEST_DEADLINE_S = 0.001
GIVEN_UP = "the session is given up, and its episode with it: reset() starts another"


class Reply(NamedTuple):
    """What a server said.

    Attributes:
        number: of the request that it answers; None where it answers none.
        data: of the reply, a list where the request named lanes; empty where it is an error.
        error: what it tells of, or None.
    """

    number: int | None
    data: Any
    error: OpenEnvError | None


class Ledger:
    """Numbers the requests of one session and remembers those without a reply, across all its sockets."""

    def __init__(self, codec: Codec) -> None:
        self.codec = codec
        self.session: str | None = None
        self.resume_window_s = 60.0
        self.max_in_flight = messages.MAX_IN_FLIGHT
        self.unanswered: dict[int, bytes] = {}
        self._max_message_bytes: int | None = None
        self._max_unacked_bytes: int | None = None
        self._last = 0
        self._acked = 0
        self._arrived: dict[int, int] = {}
        self._untold_bytes = 0

    @property
    def full(self) -> bool:
        """Whether another request must wait until more replies have arrived."""
        return self._last - self._acked >= self.max_in_flight

    def subprotocols(self) -> list[str]:
        """Return what to offer to come back to the session."""
        return [self.codec.subprotocol, f"{SESSION_PREFIX}{self.session}"]

    def write(self, call: Call) -> tuple[int, bytes]:
        """Return the number and the frame of a new request.

        Raises:
            UsageError: its payload cannot be sent, or is longer than the server takes.
        """
        data = dumped(self.codec.dump, call)
        if self._max_message_bytes is not None and data is not None and len(data) + 256 > self._max_message_bytes:
            raise UsageError(f"{call.type} has {len(data)} bytes, and the server takes {self._max_message_bytes}")
        number = self._last = self._last + 1
        deadline_s = max(float(call.timeout_s), SHORTEST_DEADLINE_S)
        lanes = None if call.lanes is None else self.codec.dump(call.lanes)
        frame = self.codec.wrap(call.type, number, data, self._acked, deadline_s if math.isfinite(deadline_s) else None, lanes)
        self.unanswered[number] = frame
        self._untold_bytes = 0
        return number, frame

    def cancel(self, number: int) -> bytes:
        """Return the frame that tells the server that nobody waits for a request any more."""
        return self.codec.dump({"type": messages.CANCEL, "data": {"id": number}})

    def acknowledgement(self) -> bytes | None:
        """Return the frame that says what has arrived, or None where the next request says so early enough.

        A server that holds too many bytes starts no call until it hears of their arrival.
        """
        if self._max_unacked_bytes is None or self._untold_bytes * 2 <= self._max_unacked_bytes:
            return None
        self._untold_bytes = 0
        return self._ack()

    def arrived(self) -> bytes | None:
        """Return the frame for a new socket that says how far replies have arrived, for word of it may have been lost.

        None where none has.
        """
        return self._ack() if self._acked else None

    def read(self, frame: str | bytes) -> Reply:
        """Return what a frame says; a reply counts as arrived. Raises `SessionLost` for what cannot be read."""
        message = self._load(frame)
        number, data = message.get("id"), message.get("data")
        if type(number) is not int:
            number = None
        elif number in self.unanswered:
            del self.unanswered[number]
            if number == self._acked + 1 and not self._arrived:
                self._acked = number
                self._untold_bytes += len(frame)
            else:
                self._note_arrival(number, len(frame))
        if message.get("type") == messages.ERROR:
            return Reply(number, {}, read_error(data))
        return Reply(number, data if isinstance(data, dict | list) else {}, None)

    def greet(self, frame: str | bytes) -> None:
        """Take the server's first message.

        Raises:
            SessionLost: the session to resume is not there any more.
            OpenEnvError: the server has no room.
        """
        message = self._load(frame)
        data = message.get("data")
        if message.get("type") == messages.ERROR:
            raise read_error(data)
        if message.get("type") != messages.HELLO or not isinstance(data, dict):
            raise SessionLost(f"the server began with {message.get('type')!r} where 'hello' was due; {GIVEN_UP}")
        if self.session is not None and not data.get("resumed"):
            raise SessionLost("the server began another session where this one was to go on")
        self.session = str(data["session"])
        limits = data.get("limits", {})
        self.resume_window_s = float(limits.get("resume_window_s", self.resume_window_s))
        self.max_in_flight = min(self.max_in_flight, int(limits.get("max_in_flight", self.max_in_flight)))
        self._max_message_bytes = limits.get("max_message_bytes")
        self._max_unacked_bytes = limits.get("max_unacked_bytes")

    def _ack(self) -> bytes:
        return self.codec.dump({"type": messages.ACK, "data": {"ack": self._acked}})

    def _load(self, frame: str | bytes) -> dict[str, Any]:
        try:
            message = self.codec.load(frame)
        except ValueError as error:
            raise SessionLost(f"the server sent what cannot be read: {error}; {GIVEN_UP}") from None
        if not isinstance(message, dict):
            raise SessionLost(f"the server sent what is no message; {GIVEN_UP}")
        return message

    def _note_arrival(self, number: int, size: int) -> None:
        self._arrived[number] = size
        while self._acked + 1 in self._arrived:
            self._acked += 1
            self._untold_bytes += self._arrived.pop(self._acked)

"""A request of many lanes: what each crew does of it, and the one reply."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from ..errors import ExecutionError, OpenEnvError, StepTimeout
from ..wire.codec import Codec
from ..wire.messages import Request
from ..wire.values import read_error
from .calls import ENVELOPE_BYTES, Encode
from .lane import Lane
from .ticket import Ticket


class Part:
    """What one crew does of a batch, for so many lanes; its ticket once it has been submitted."""

    __slots__ = ("crew", "encode", "lanes", "request", "ticket")

    def __init__(self, crew: Lane, request: Request, encode: Encode, lanes: int) -> None:
        self.crew = crew
        self.request = request
        self.encode = encode
        self.lanes = lanes
        self.ticket: Ticket | None = None


class Batch(Ticket):
    """A request of many lanes: done when all its parts are.

    Attributes:
        quickest_s: the least that a crew took; None while no crew has ended.
    """

    __slots__ = ("_begun_at", "_codec", "_given_up", "_in_order", "_left", "_longest", "_one_by_one", "parts", "quickest_s")

    def __init__(
        self,
        request: Request,
        codec: Codec,
        in_order: bool,
        deadline_s: float | None,
        ended: Callable[[Ticket], None],
        longest: int,
    ) -> None:
        super().__init__(request, codec.encode_all, ended)
        self.deadline_s = deadline_s
        self.until = None if deadline_s is None else asyncio.get_running_loop().time() + deadline_s
        self._codec = codec
        self._in_order = in_order
        self._longest = longest - ENVELOPE_BYTES
        self._one_by_one = False
        self._given_up: type[OpenEnvError] | None = None
        self._left = 0
        self._begun_at = 0.0
        self.parts: list[Part] = []
        self.quickest_s: float | None = None

    def add(self, part: Part) -> None:
        """Add what a crew is to do."""
        self.parts.append(part)

    def begin(self, *, one_by_one: bool) -> None:
        """Submit the parts: all at once, or each when the one before is done."""
        self._left = len(self.parts)
        self._one_by_one = one_by_one
        for part in self.parts[:1] if one_by_one else self.parts:
            self._submit(part)

    def begin_rest(self) -> None:
        """Submit at once what still waits for the parts before it."""
        self._one_by_one = False
        for part in self.parts:
            if part.ticket is None:
                self._submit(part)

    def give_up(self, kind: type[OpenEnvError]) -> None:
        """Answer what has no outcome yet with an error."""
        self._given_up = kind
        for part in self.parts:
            if part.ticket is not None:
                part.crew.give_up(part.ticket, kind)

    def _submit(self, part: Part) -> None:
        self._begun_at = time.monotonic()
        left_s = None if self.until is None else self.until - asyncio.get_running_loop().time()
        kind = StepTimeout if left_s is not None and left_s <= 0 else self._given_up
        if kind is None:
            part.ticket = part.crew.submit(part.request, part.encode, left_s)
        else:
            part.ticket = Ticket(part.request, part.encode, _nothing)
            told = f"{part.request.type} was given up before it started; the episode stands as it was"
            part.ticket.settle(None, kind(told, started=False))
        part.ticket.tell(self._one_done)

    def _one_done(self, _: Ticket) -> None:
        took_s = time.monotonic() - self._begun_at
        self.quickest_s = took_s if self.quickest_s is None else min(took_s, self.quickest_s)
        self._left -= 1
        if self._left and self._one_by_one:
            self._submit(self.parts[len(self.parts) - self._left])
        elif not self._left:
            pieces = [piece for part in self.parts for piece in self._pieces(part)]
            data = self._codec.gather(len(self.request.lanes or []), pieces)
            try:
                self.settle(self._checked(data if self._in_order else self._reordered(data)))
            except Exception as error:
                self.settle(None, _unreadable(error))

    def _pieces(self, part: Part) -> list[bytes]:
        assert part.ticket is not None
        error = part.ticket.error
        if error is None:
            return [part.ticket.data or b""]
        told = error if isinstance(error, OpenEnvError) else OpenEnvError(f"{type(error).__name__}: {error}")
        return [self._codec.encode_all([told])] * part.lanes

    def _checked(self, data: bytes) -> bytes:
        if len(data) > self._longest:
            told = f"what the lanes gave has {len(data)} bytes, and a message may have {self._longest} (max_message_bytes)"
            raise ExecutionError(f"{told}: ask for fewer lanes at once")
        return data

    def _reordered(self, data: bytes) -> bytes:
        """Put what came in the order of lanes into that of the request."""
        entries = self._codec.load(data)
        lanes = self.request.lanes or []
        position = {lane: index for index, lane in enumerate(sorted(lanes))}
        return self._codec.dump([entries[position[lane]] for lane in lanes])


class OfFirst(Ticket):
    """A request of the first lane only, whose reply is no list."""

    __slots__ = ("_codec", "batch")

    def __init__(self, request: Request, codec: Codec, batch: Ticket) -> None:
        super().__init__(request, codec.encode, _nothing)
        self._codec = codec
        self.batch = batch
        batch.tell(self._done)

    def _done(self, batch: Ticket) -> None:
        try:
            if batch.error is not None:
                raise batch.error
            entry = self._codec.load(batch.data or b"")[0]
            if entry.keys() == {"error"}:
                raise read_error(entry["error"])
            self.settle(self._codec.dump(entry))
        except Exception as error:
            self.settle(None, _unreadable(error))


def _unreadable(error: Exception) -> OpenEnvError:
    """Return what kept a reply from being put together as an error that can be told."""
    return error if isinstance(error, OpenEnvError) else ExecutionError(f"the reply could not be put together: {error}")


def _nothing(_: Ticket) -> None:
    """A batch is in no queue."""

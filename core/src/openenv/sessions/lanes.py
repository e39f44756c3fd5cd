"""Many environments of one session, called together."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from itertools import pairwise
from typing import Any

from ..errors import CallCancelled, ExecutionError, InvalidActionError, OpenEnvError
from ..wire.codec import Codec
from ..wire.messages import Request
from ..wire.values import read_error
from .calls import ENVELOPE_BYTES, Encode
from .lane import Lane
from .supply import Supply
from .ticket import Ticket

QUICK_S = 0.001
"""Crews of threads that take less follow one another: to want the interpreter at the same time costs more than it gains."""

PATIENCE_S = 0.005
"""When crews that follow one another take longer together, those that have not begun do so at once."""

SHORTEST_S = 0.001


class Lanes:
    """Divides requests of many lanes among the crews that have their environments, and puts the answers together.

    Args:
        supply: where slots and environments come from.
        count: how many lanes.
        autoreset: one of `messages.AUTORESET`.

    Raises:
        NotSupportedError: this server cannot have lanes.
    """

    def __init__(self, supply: Supply, count: int, autoreset: str) -> None:
        self.count = count
        self.autoreset = autoreset
        self._supply = supply
        self._sizes = supply.crews(count)
        self._in_threads = self._sizes[0] is not None
        self._crews: list[Lane] = []
        self._waiting: deque[_Batch] = deque()
        self._in_turns: _Batch | None = None
        self._quick = False
        self._place = [(crew, index) for crew, size in enumerate(self._sizes) for index in range(size or 1)]

    async def open(self) -> None:
        """Take a slot for every lane, all or none, and build the environments; on failure nothing is left.

        Raises:
            CapacityReached: there are not so many slots, or they did not come free in time.
            FactoryError: an environment could not be built.
        """
        await self._supply.slots.take(self.count)
        self._crews = [Lane(self._supply, size, has_slots=True) for size in self._sizes]
        outcomes: list[Any] = [asyncio.CancelledError()]
        try:
            outcomes = await asyncio.gather(*(crew.open() for crew in self._crews), return_exceptions=True)
        finally:
            failed = next((outcome for outcome in outcomes if outcome is not None), None)
            if failed is not None:
                await asyncio.shield(self.close())
        if failed is not None:
            raise failed

    @property
    def busy(self) -> bool:
        """Whether a call waits or runs on any lane."""
        return bool(self._waiting) or self._in_turns is not None or any(crew.busy for crew in self._crews)

    @property
    def last_used(self) -> float:
        """When the last call ended, as `time.monotonic` counts."""
        return max((crew.last_used for crew in self._crews), default=0.0)

    @property
    def steps(self) -> int:
        """How many steps were done on all lanes together."""
        return sum(crew.steps for crew in self._crews)

    def hold(self, full: bool) -> None:
        """Start no further call while `full`."""
        for crew in self._crews:
            crew.hold(full)

    def submit(self, request: Request, codec: Codec, deadline_s: float | None) -> Ticket:
        """Let a request wait its turn on each of the lanes that it names; one that names none is for lane 0.

        Raises:
            InvalidActionError: there are no such lanes.
        """
        if request.lanes is None:
            return self._of_first(request, codec, deadline_s)
        lanes = request.lanes
        if not lanes or min(lanes) < 0 or max(lanes) >= self.count:
            raise InvalidActionError(f"this session has lanes 0 to {self.count - 1}, and {lanes[:8]} was asked for")
        in_order = all(one < other for one, other in pairwise(lanes))
        shares = {0: request} if in_order and len(self._crews) == 1 else self._shares(request)
        batch = _Batch(request, codec, in_order, deadline_s, self._ended, self._supply.max_message_bytes)
        for crew, share in shares.items():
            batch.add(self._part(self._crews[crew], self._sizes[crew], share, codec))
        self._waiting.append(batch)
        self._advance()
        return batch

    def _part(self, crew: Lane, size: int | None, share: Request, codec: Codec) -> _Part:
        lanes = share.lanes or []
        if size is None:
            alone = share._replace(lanes=None, data=share.data[0], autoreset=self.autoreset)
            return _Part(crew, alone, codec.encode, 1)
        return _Part(crew, share._replace(autoreset=self.autoreset), codec.encode_all, len(lanes))

    def _advance(self) -> None:
        """Begin what waits, except behind a batch whose crews take turns: each lane's calls keep their order."""
        while self._waiting and self._in_turns is None:
            batch = self._waiting.popleft()
            if self._quick and self._in_threads and len(batch.parts) > 1:
                self._in_turns = batch
                asyncio.get_running_loop().call_later(PATIENCE_S, self._end_turns, batch)
            batch.begin(one_by_one=self._in_turns is batch)

    def _ended(self, ticket: Ticket) -> None:
        assert isinstance(ticket, _Batch)
        if ticket.quickest_s is not None:
            self._quick = ticket.quickest_s < QUICK_S
        if ticket is self._in_turns:
            self._in_turns = None
            self._advance()

    def _end_turns(self, batch: _Batch) -> None:
        """Wait no longer for crews of a batch that are not quick after all."""
        if batch is self._in_turns:
            self._in_turns = None
            batch.begin_rest()
            self._advance()

    def _of_first(self, request: Request, codec: Codec, deadline_s: float | None) -> Ticket:
        inner = request._replace(lanes=[0], data=[request.data or {}])
        return _Alone(request, codec, self.submit(inner, codec, deadline_s))

    def _shares(self, request: Request) -> dict[int, Request]:
        """Return what each crew is to do, in the order of lanes."""
        shares: dict[int, tuple[list[int], list[Any]]] = {}
        for lane, data in sorted(zip(request.lanes or [], request.data, strict=True), key=lambda entry: entry[0]):
            crew, index = self._place[lane]
            members, share = shares.setdefault(crew, ([], []))
            members.append(index)
            share.append(data)
        return {crew: request._replace(lanes=members, data=share) for crew, (members, share) in shares.items()}

    def give_up(self, ticket: Ticket, kind: type[OpenEnvError] = CallCancelled) -> None:
        """Answer what has no outcome yet of a request with an error."""
        batch = ticket.batch if isinstance(ticket, _Alone) else ticket
        assert isinstance(batch, _Batch)
        batch.give_up(kind)

    async def close(self) -> None:
        """Close every environment and give the slots back."""
        await asyncio.gather(*(crew.close() for crew in self._crews))


class _Part:
    """What one crew does of a batch, for so many lanes; its ticket once it has been submitted."""

    __slots__ = ("crew", "encode", "lanes", "request", "ticket")

    def __init__(self, crew: Lane, request: Request, encode: Encode, lanes: int) -> None:
        self.crew = crew
        self.request = request
        self.encode = encode
        self.lanes = lanes
        self.ticket: Ticket | None = None


class _Batch(Ticket):
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
        self.parts: list[_Part] = []
        self.quickest_s: float | None = None

    def add(self, part: _Part) -> None:
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

    def _submit(self, part: _Part) -> None:
        self._begun_at = time.monotonic()
        if self._given_up is None:
            left_s = None if self.until is None else max(SHORTEST_S, self.until - asyncio.get_running_loop().time())
            part.ticket = part.crew.submit(part.request, part.encode, left_s)
        else:
            part.ticket = Ticket(part.request, part.encode, _nothing)
            told = f"{part.request.type} was given up before it started; the episode stands as it was"
            part.ticket.settle(None, self._given_up(told, started=False))
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
                self.settle(None, unreadable(error))

    def _pieces(self, part: _Part) -> list[bytes]:
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


class _Alone(Ticket):
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
            self.settle(None, unreadable(error))


def unreadable(error: Exception) -> OpenEnvError:
    """Return what kept a reply from being put together as an error that can be told."""
    return error if isinstance(error, OpenEnvError) else ExecutionError(f"the reply could not be put together: {error}")


def _nothing(_: Ticket) -> None:
    """A batch is in no queue."""

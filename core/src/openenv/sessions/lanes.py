"""Many environments of one session, called together."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import Any

from ..errors import CallCancelled, InvalidActionError, OpenEnvError
from ..wire.messages import Request
from ..wire.v2 import Codec
from ..wire.values import read_error
from .lane import Lane
from .supply import Supply
from .ticket import Ticket


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
        self._crews: list[Lane] = []
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
        return any(crew.busy for crew in self._crews)

    @property
    def last_used(self) -> float:
        """When the last call ended, as `time.monotonic` counts."""
        return max((crew.last_used for crew in self._crews), default=0.0)

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
        batch = _Batch(request, codec, in_order)
        for crew, share in ({0: request} if in_order and len(self._crews) == 1 else self._shares(request)).items():
            size = self._sizes[crew]
            part = share._replace(autoreset=self.autoreset)
            if size is None:
                assert part.lanes is not None
                part = part._replace(lanes=None, data=part.data[0])
            encode = codec.encode if size is None else codec.encode_all
            batch.add(self._crews[crew], self._crews[crew].submit(part, encode, deadline_s), len(share.lanes or []))
        batch.begin()
        return batch

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
        for crew, part, _ in batch.parts:
            crew.give_up(part, kind)

    async def close(self) -> None:
        """Close every environment and give the slots back."""
        await asyncio.gather(*(crew.close() for crew in self._crews))


class _Batch(Ticket):
    """A request of many lanes: done when all its parts are."""

    __slots__ = ("_codec", "_in_order", "_missing", "parts")

    def __init__(self, request: Request, codec: Codec, in_order: bool) -> None:
        super().__init__(request, codec.encode_all, _nothing)
        self._codec = codec
        self._in_order = in_order
        self._missing = 0
        self.parts: list[tuple[Lane, Ticket, int]] = []

    def add(self, crew: Lane, part: Ticket, lanes: int) -> None:
        """Add what a crew does, which stands for so many lanes."""
        self.parts.append((crew, part, lanes))

    def begin(self) -> None:
        """Wait for the parts; with all of them done already, settle."""
        self._missing = len(self.parts)
        for _, part, _ in self.parts:
            part.tell(self._one_done)

    def _one_done(self, _: Ticket) -> None:
        self._missing -= 1
        if not self._missing:
            pieces = [piece for _, part, lanes in self.parts for piece in self._pieces(part, lanes)]
            data = self._codec.gather(len(self.request.lanes or []), pieces)
            self.settle(data if self._in_order else self._reordered(data))

    def _pieces(self, part: Ticket, lanes: int) -> list[bytes]:
        if part.error is None:
            return [part.data or b""]
        error = part.error
        told = error if isinstance(error, OpenEnvError) else OpenEnvError(f"{type(error).__name__}: {error}")
        return [self._codec.encode_all([told])] * lanes

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
        entry = self._codec.load(batch.data or b"")[0]
        if entry.keys() == {"error"}:
            self.settle(None, read_error(entry["error"]))
        else:
            self.settle(self._codec.dump(entry))


def _nothing(_: Ticket) -> None:
    """A batch is in no queue."""

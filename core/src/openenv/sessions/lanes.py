"""Many environments of one session, called together."""

from __future__ import annotations

import asyncio
from collections import deque
from itertools import accumulate
from typing import Any

from ..errors import CallCancelled, InvalidActionError, OpenEnvError
from ..wire.codec import Codec
from ..wire.messages import Request
from .batch import Batch, OfFirst, Part
from .lane import Lane
from .supply import Supply
from .ticket import Ticket

QUICK_S = 0.001
"""Crews of threads that take less follow one another: to want the interpreter at the same time costs more than it gains."""

PATIENCE_S = 0.005
"""When crews that follow one another take longer together, those that have not begun do so at once."""


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
        self._waiting: deque[Batch] = deque()
        self._in_turns: Batch | None = None
        self._quick = False
        self._place = [(crew, index) for crew, size in enumerate(self._sizes) for index in range(size or 1)]
        starts = accumulate((size or 1 for size in self._sizes), initial=0)
        self._members = [(start, list(range(size or 1))) for start, size in zip(starts, self._sizes, strict=False)]

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
        in_order = lanes == sorted(lanes)
        if in_order and len(self._crews) == 1:
            shares = {0: request}
        elif in_order and len(lanes) == self.count:
            shares = self._shares_of_all(request)
        else:
            shares = self._shares(request)
        batch = Batch(request, codec, in_order, deadline_s, self._ended, self._supply.max_message_bytes)
        for crew, share in shares.items():
            batch.add(self._part(self._crews[crew], self._sizes[crew], share, codec))
        self._waiting.append(batch)
        self._advance()
        return batch

    def _part(self, crew: Lane, size: int | None, share: Request, codec: Codec) -> Part:
        lanes = share.lanes or []
        if size is None:
            alone = share._replace(lanes=None, data=share.data[0], autoreset=self.autoreset)
            return Part(crew, alone, codec.encode, 1)
        return Part(crew, share._replace(autoreset=self.autoreset), codec.encode_all, len(lanes))

    def _advance(self) -> None:
        """Begin what waits, except behind a batch whose crews take turns: each lane's calls keep their order."""
        while self._waiting and self._in_turns is None:
            batch = self._waiting.popleft()
            if self._quick and self._in_threads and len(batch.parts) > 1:
                self._in_turns = batch
                asyncio.get_running_loop().call_later(PATIENCE_S, self._end_turns, batch)
            batch.begin(one_by_one=self._in_turns is batch)

    def _ended(self, ticket: Ticket) -> None:
        assert isinstance(ticket, Batch)
        if ticket.quickest_s is not None:
            self._quick = ticket.quickest_s < QUICK_S
        if ticket is self._in_turns:
            self._in_turns = None
            self._advance()

    def _end_turns(self, batch: Batch) -> None:
        """Wait no longer for crews of a batch that are not quick after all."""
        if batch is self._in_turns:
            self._in_turns = None
            batch.begin_rest()
            self._advance()

    def _of_first(self, request: Request, codec: Codec, deadline_s: float | None) -> Ticket:
        inner = request._replace(lanes=[0], data=[request.data or {}])
        return OfFirst(request, codec, self.submit(inner, codec, deadline_s))

    def _shares_of_all(self, request: Request) -> dict[int, Request]:
        """As `_shares`, for a request of all lanes in their order: each crew's are side by side."""
        data = request.data
        return {
            crew: request._replace(lanes=members, data=data[start : start + len(members)])
            for crew, (start, members) in enumerate(self._members)
        }

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
        batch = ticket.batch if isinstance(ticket, OfFirst) else ticket
        assert isinstance(batch, Batch)
        batch.give_up(kind)

    async def close(self) -> None:
        """Close every environment and give the slots back."""
        await asyncio.gather(*(crew.close() for crew in self._crews))

"""One environment of a session, and the calls that wait their turn at it."""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque

from ..errors import CallCancelled, OpenEnvError, SessionLost, SessionStuck, StepTimeout
from ..wire import messages
from ..wire.messages import Request
from .calls import Encode
from .supply import Supply
from .ticket import Ticket
from .workers import Worker


class Lane:
    """Runs calls on one environment in the order in which they came; takes a slot with the first.

    A call that is given up after it started leaves the lane *stuck*: only a reset, on a fresh environment, goes on.

    Args:
        supply: where slots and environments come from.
        crew: it is a crew of so many environments, all of whose lanes are called together.
        has_slots: its slots have been taken already.

    Attributes:
        last_used: when the last call ended, as `time.monotonic` counts.
        steps: how many were done, on all its environments together.
    """

    def __init__(self, supply: Supply, crew: int | None = None, *, has_slots: bool = False) -> None:
        self._supply = supply
        self._crew = crew
        self._slots = crew or 1
        self._built_before = False
        self._worker: Worker | None = None
        self._building: asyncio.Task[Worker] | None = None
        self._closing: Worker | None = None
        self._closed_stuck = asyncio.Event()
        self._has_slots = has_slots
        self._queue: deque[Ticket] = deque()
        self._current: Ticket | None = None
        self._advancing = False
        self._opening = False
        self._preparing: asyncio.Task[None] | None = None
        self._stuck = False
        self._closed = False
        self._timer: asyncio.TimerHandle | None = None
        self._next_look = math.inf
        self._room = asyncio.Event()
        self._room.set()
        self.last_used = time.monotonic()
        self.steps = 0

    @property
    def busy(self) -> bool:
        """Whether a call waits or runs, or the environment is being built for one."""
        return self._current is not None or bool(self._queue) or self._opening

    @property
    def used(self) -> bool:
        """Whether there was ever a call."""
        return self._has_slots or self.busy or self._built_before

    async def open(self) -> None:
        """Take a slot and build the environment now; raises as `Slots.take` and `Supply.open_worker` do.

        Cancelled, it gives up its place in the queue; what is being built already is for the next call, or for `close`.
        """
        self._opening = True
        try:
            await self._open()
        finally:
            self._opening = False
            self.last_used = time.monotonic()

    async def _open(self) -> None:
        if not self._has_slots:
            await self._supply.slots.take(self._slots)
            self._has_slots = True
        if self._building is None:
            self._building = asyncio.create_task(self._supply.open_worker(self._crew, lost=self._built_before))
            self._built_before = True
        building = self._building
        await asyncio.wait([building])
        self._building = None
        if building.cancelled():
            raise _closed()
        try:
            self._worker = building.result()
        except Exception:
            self._let_slots_go()
            raise

    def submit(self, request: Request, encode: Encode, deadline_s: float | None = None) -> Ticket:
        """Let a call wait its turn; where nothing stands in its way, it begins at once.

        Args:
            request: what to do.
            encode: makes the reply's data of what the environment gives.
            deadline_s: seconds from now after which the call is given up; None: never.
        """
        ticket = Ticket(request, encode, self._ended)
        if self._closed:
            ticket.settle(None, _closed())
            return ticket
        if deadline_s is not None:
            ticket.deadline_s = deadline_s
            ticket.until = asyncio.get_running_loop().time() + deadline_s
            if ticket.until < self._next_look:
                self._look_at(ticket.until)
        self._queue.append(ticket)
        self._advance()
        return ticket

    def give_up(self, ticket: Ticket, kind: type[OpenEnvError] = CallCancelled, deadline_s: float | None = None) -> None:
        """Answer a call with an error before it has an outcome of its own; does nothing where it has one."""
        if ticket.done:
            return
        name = ticket.request.type
        told = f"{name} was given up" if deadline_s is None else f"{name} took longer than {deadline_s:g} s"
        if not ticket.started:
            ticket.settle(None, kind(f"{told} before it started; the episode stands as it was", started=False))
            return
        self._stuck = True
        if self._closing is not None:
            self._closed_stuck.set()
            if not self._closing.give_up():
                self._supply.tell_of_stuck_call()
        elif self._worker is not None and not self._worker.give_up() and self._supply.abandon_worker(self._worker):
            self._worker = None
        ticket.settle(None, kind(f"{told} in the environment: reset() before the next step", started=True))

    def _look_at(self, when: float) -> None:
        """Look then for calls whose time is over. One timer serves all calls, and is seldom set: most end before it."""
        if self._timer is not None:
            self._timer.cancel()
        self._next_look = when
        self._timer = asyncio.get_running_loop().call_at(when, self._give_up_late)

    def _give_up_late(self) -> None:
        """Give up the calls whose time is over; those that wait leave the queue first, so that none of them begins now."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._next_look = None, math.inf
        now = asyncio.get_running_loop().time()
        calls = [ticket for ticket in (self._current, *self._queue) if ticket is not None]
        late = [ticket for ticket in calls if ticket.until is not None and ticket.until <= now]
        self._queue = deque(ticket for ticket in self._queue if ticket not in late)
        for ticket in late:
            self.give_up(ticket, StepTimeout, ticket.deadline_s)
        waiting = [ticket.until for ticket in (self._current, *self._queue) if ticket is not None and ticket.until is not None]
        if waiting and (soonest := min(waiting)) < self._next_look:
            self._look_at(soonest)

    def hold(self, full: bool) -> None:
        """Start no further call while `full`."""
        if full:
            self._room.clear()
        else:
            self._room.set()

    async def close(self) -> None:
        """End what waits, close the environment after the call in flight, and let the slot go. Twice does no harm.

        A call that then still runs after `close_timeout_s` is given up. Once it is, by this or by its own deadline, the slot
        is free, and the environment is closed when the call returns.
        """
        if (running := self._current) is not None and running.started and not self._closed:
            asyncio.get_running_loop().call_later(self._supply.close_timeout_s, self.give_up, running)
        self._closed = True
        for ticket in (*self._queue, self._current):
            if ticket is not None and not ticket.started:
                ticket.settle(None, _closed())
        if self._preparing is not None:
            await asyncio.wait([self._preparing])
        worker, self._worker = self._worker or await self._unused(), None
        try:
            if worker is not None:
                await self._close(worker)
        finally:
            self._let_slots_go()
            if self._timer is not None:
                self._timer.cancel()

    async def _unused(self) -> Worker | None:
        """Stop building for nobody; return what is built already."""
        building, self._building = self._building, None
        if building is None:
            return None
        building.cancel()
        await asyncio.wait([building])
        return None if building.cancelled() or building.exception() else building.result()

    async def _close(self, worker: Worker) -> None:
        self._closing = worker
        closing = asyncio.ensure_future(self._supply.close_worker(worker))
        stuck = asyncio.ensure_future(self._closed_stuck.wait())
        await asyncio.wait([closing, stuck], return_when=asyncio.FIRST_COMPLETED)
        stuck.cancel()

    def _let_slots_go(self) -> None:
        if self._has_slots:
            self._has_slots = False
            self._supply.slots.give_back(self._slots)

    def _ended(self, ticket: Ticket) -> None:
        """A call has its outcome: let the next one begin."""
        self.last_used = time.monotonic()
        if ticket.error is None and ticket.request.type == messages.STEP:
            self.steps += 1 if ticket.request.lanes is None else len(ticket.request.lanes)
        if ticket is self._current:
            self._current = None
            if not ticket.started and self._preparing is not None:
                self._preparing.cancel()
            if self._queue and self._next_look <= asyncio.get_running_loop().time():
                self._give_up_late()
            self._advance()

    def _advance(self) -> None:
        """Begin the calls that wait, for as long as each is over at once."""
        if self._advancing:
            return
        self._advancing = True
        try:
            while self._current is None and self._queue:
                ticket = self._queue.popleft()
                if not ticket.done:
                    self._current = ticket
                    self._begin(ticket)
        finally:
            self._advancing = False

    def _begin(self, ticket: Ticket) -> None:
        if self._stuck and ticket.request.type != messages.RESET:
            told = "an earlier call never finished, so where the episode stands is unknown: reset() first"
            ticket.settle(None, SessionStuck(told))
        elif self._worker is None or not self._room.is_set():
            self._preparing = asyncio.get_running_loop().create_task(self._prepare(ticket, self._preparing))
        else:
            self._stuck = False
            ticket.started = True
            self._worker.start(ticket.request, ticket.encode, ticket.settle)

    async def _prepare(self, ticket: Ticket, before: asyncio.Task[None] | None) -> None:
        """Wait for what a call needs, an environment or room for its reply, and begin it."""
        try:
            if before is not None and not before.done():
                await asyncio.wait([before])
            await self._room.wait()
            if self._worker is None:
                await self.open()
        except Exception as error:
            ticket.settle(None, error)
        else:
            if not ticket.done:
                self._begin(ticket)


def _closed() -> SessionLost:
    return SessionLost("the session has ended and its episode with it: reset() starts another")

"""One environment of a session, and the calls that wait their turn at it."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any

from ..errors import CallCancelled, OpenEnvError, SessionLost, SessionStuck, StepTimeout
from ..wire import messages
from ..wire.messages import Request
from .calls import Encode
from .supply import Supply
from .workers import Worker


class Ticket:
    """A call that waits its turn, runs, or has an outcome.

    Attributes:
        outcome: the reply's encoded `data`, or the error. Shield it where its awaiting may be cancelled.
        started: the environment has been called.
    """

    __slots__ = ("_timer", "encode", "outcome", "request", "started")

    def __init__(self, request: Request, encode: Encode, timer: asyncio.TimerHandle | None = None) -> None:
        self.request = request
        self.encode = encode
        self.outcome: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self.started = False
        self._timer = timer

    def expire_after(self, deadline_s: float, lane: Lane) -> None:
        """Give the call up when its time is over."""
        self._timer = asyncio.get_running_loop().call_later(deadline_s, lane.give_up, self, StepTimeout, deadline_s)

    def settle(self, data: bytes | None, error: BaseException | None = None) -> None:
        """Set the outcome, unless there is one."""
        if self._timer is not None:
            self._timer.cancel()
        if self.outcome.done():
            return
        if error is None:
            self.outcome.set_result(data or b"")
        else:
            self.outcome.set_exception(error)
            self.outcome.exception()

    def settle_from(self, call: asyncio.Future[bytes]) -> None:
        """Take over the outcome of the call itself."""
        if call.cancelled():
            self.settle(None, CallCancelled("the call was given up", started=True))
        elif (error := call.exception()) is not None:
            self.settle(None, error)
        else:
            self.settle(call.result())


class Lane:
    """Runs calls on one environment in the order in which they came; takes a slot with the first.

    A call that is given up after it started leaves the lane *stuck*: only a reset, on a fresh environment, goes on.
    """

    def __init__(self, supply: Supply) -> None:
        self._supply = supply
        self._worker: Worker | None = None
        self._has_slot = False
        self._queue: deque[Ticket] = deque()
        self._current: Ticket | None = None
        self._running: asyncio.Task[None] | None = None
        self._stuck = False
        self._closed = False
        self._room = asyncio.Event()
        self._room.set()

    @property
    def busy(self) -> bool:
        """Whether a call waits or runs."""
        return self._current is not None or bool(self._queue)

    async def open(self) -> None:
        """Take a slot and build the environment now; raises as `Slots.take` and `Supply.open_worker` do."""
        if not self._has_slot:
            await self._supply.slots.take()
            self._has_slot = True
        try:
            self._worker = await self._supply.open_worker()
        except BaseException:
            self._let_slot_go()
            raise

    def submit(self, request: Request, encode: Encode, deadline_s: float | None = None) -> Ticket:
        """Let a call wait its turn.

        Args:
            request: what to do.
            encode: makes the reply's data of what the environment gives.
            deadline_s: seconds from now after which the call is given up; None: never.
        """
        ticket = Ticket(request, encode)
        if self._closed:
            ticket.settle(None, SessionLost("the session has ended and its episode with it: reset() starts another"))
            return ticket
        if deadline_s is not None:
            ticket.expire_after(deadline_s, self)
        self._queue.append(ticket)
        if self._running is None or self._running.done():
            self._running = asyncio.get_running_loop().create_task(self._run_queue())
        return ticket

    def give_up(self, ticket: Ticket, kind: type[OpenEnvError] = CallCancelled, deadline_s: float | None = None) -> None:
        """Answer a call with an error before it has an outcome of its own; does nothing where it has one."""
        if ticket.outcome.done():
            return
        name = ticket.request.type
        told = f"{name} was given up" if deadline_s is None else f"{name} took longer than {deadline_s:g} s"
        if not ticket.started:
            ticket.settle(None, kind(f"{told} before it started; the episode stands as it was", started=False))
            return
        self._stuck = True
        ticket.settle(None, kind(f"{told} in the environment: reset() before the next step", started=True))
        if self._worker is not None and not self._worker.give_up() and self._supply.abandon_worker(self._worker):
            self._worker = None

    def hold(self, full: bool) -> None:
        """Start no further call while `full`."""
        if full:
            self._room.clear()
        else:
            self._room.set()

    async def close(self) -> None:
        """End what waits, close the environment after the call in flight, and let the slot go. Twice does no harm."""
        self._closed = True
        for ticket in (*self._queue, self._current):
            if ticket is not None and not ticket.started:
                ticket.settle(None, SessionLost("the session has ended and its episode with it: reset() starts another"))
        self._room.set()
        if self._running is not None and self._worker is None:
            await asyncio.wait([self._running])
        worker, self._worker = self._worker, None
        try:
            if worker is not None:
                await self._supply.close_worker(worker)
        finally:
            self._let_slot_go()

    def _let_slot_go(self) -> None:
        if self._has_slot:
            self._has_slot = False
            self._supply.slots.give_back()

    async def _run_queue(self) -> None:
        while self._queue:
            self._current = self._queue.popleft()
            try:
                await self._run(self._current)
            except Exception as error:
                self._current.settle(None, error)
            finally:
                self._current = None

    async def _run(self, ticket: Ticket) -> None:
        if not self._room.is_set():
            await _first_of(ticket.outcome, asyncio.ensure_future(self._room.wait()))
        if ticket.outcome.done():
            return
        if self._stuck and ticket.request.type != messages.RESET:
            raise SessionStuck("an earlier call never finished, so where the episode stands is unknown: reset() first")
        if self._worker is None:
            opening = asyncio.ensure_future(self.open())
            await _first_of(ticket.outcome, opening)
            if ticket.outcome.done():
                return
            opening.result()
        assert self._worker is not None
        self._stuck = False
        ticket.started = True
        call = asyncio.ensure_future(self._worker.call(ticket.request, ticket.encode))
        call.add_done_callback(ticket.settle_from)
        await _settled(ticket.outcome)


async def _settled(outcome: asyncio.Future[bytes]) -> None:
    """Wait until there is an outcome, whatever it is."""
    try:
        await outcome
    except Exception:
        return  # its owner reads it


async def _first_of(outcome: asyncio.Future[bytes], work: asyncio.Future[Any]) -> None:
    """Wait for either; cancel the work where the outcome came first."""
    await asyncio.wait([outcome, work], return_when=asyncio.FIRST_COMPLETED)
    if outcome.done():
        work.cancel()
        await asyncio.wait([work])

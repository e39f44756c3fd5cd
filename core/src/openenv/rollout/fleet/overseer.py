"""The thread of a fleet, in which everything is decided."""

from __future__ import annotations

import asyncio
import atexit
import concurrent.futures
import itertools
import threading
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

from ...errors import OpenEnvError, SessionLost, UsageError
from ...launch.provider import RuntimeProvider
from .account import Account
from .events import FleetEvent, Teller, logger
from .interruption import INTERRUPTED, hush
from .loop_thread import LoopThread
from .refusals import again, stopped_by, too_late, too_many
from .roster import Roster
from .scaling import Scaling
from .seat import Seat
from .server import Server
from .settings import Bounds, FleetSettings
from .status import FleetStatus, ServerStatus
from .waiting import Ticket, WaitingLine

T = TypeVar("T")

LOOK_EVERY_S = 0.1

CLOSED = "the fleet is not running: start it with `async with`, `with` or start()"
FORKED = "the fleet belongs to the process that started it: sessions are opened there, or with a fleet of its own"


class Overseer:
    """Runs a fleet in an event loop of its own; its public methods may be called from any thread and any event loop.

    An exception in what is decided here is a fault of this code, which no further try mends: it is logged with its traceback,
    everything is stopped, and whoever waits or asks later is told of it.

    Args:
        make_provider: returns what starts a server.
        bounds: how many servers.
        sessions_per_server: see `Fleet`.
        settings: times and limits.
        teller: told of events.
    """

    def __init__(
        self,
        make_provider: Callable[[], RuntimeProvider],
        bounds: Bounds,
        sessions_per_server: int | None,
        settings: FleetSettings,
        teller: Teller,
    ) -> None:
        self._scaling = Scaling(bounds, settings.target_load, settings.calm_s)
        self._wanted = bounds.least
        self._account = Account()
        self._numbers = itertools.count(1)
        self._teller = teller
        self._closing = self._is_interrupted = False
        self._fault: Exception | None = None
        self._news, self._changed = asyncio.Event(), asyncio.Condition()
        self._line = WaitingLine(lambda: self._roster.servers, self._seat, self._free)
        self._roster = Roster(
            make_provider, sessions_per_server, settings, self._post_event, self._post, self._news.set, self._fail
        )
        self._thread = LoopThread("openenv-fleet")
        self._thread.start(self._run)
        atexit.register(self.close)

    async def _run(self) -> None:
        try:
            while not self._closing:
                self._news.clear()
                self._look()
                async with self._changed:
                    self._changed.notify_all()
                with suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_EVERY_S):
                        await self._news.wait()
        except Exception as error:
            self._fail(error)
        self._line.refuse_all(lambda _: self._not_running("the fleet was closed"))
        try:
            await self._roster.close(self._lost, abandoned=self._fault is None)
        except Exception as error:
            self._fail(error)
        async with self._changed:
            self._changed.notify_all()

    def _fail(self, error: Exception) -> None:
        logger.error("a fleet stops, and its servers with it, by a fault in its own code; please report it", exc_info=error)
        self._fault = self._fault or error
        self._closing = True
        self._news.set()

    def _lost(self) -> SessionLost:
        if self._fault is not None:
            return SessionLost(f"{stopped_by(self._fault)}, and its episode ended")
        return SessionLost("the fleet was closed and its episode ended", **self._details())

    def _not_running(self, told: str = CLOSED) -> OpenEnvError:
        """Return the error for whoever wants something of a fleet that runs no more."""
        if self._fault is None:
            return UsageError(told, **self._details())
        error = OpenEnvError(stopped_by(self._fault))
        error.__cause__ = self._fault
        return error

    def _details(self) -> dict[str, Any]:
        return {INTERRUPTED: True} if self._is_interrupted else {}

    def _look(self) -> None:
        roster, line = self._roster, self._line
        demand = sum(server.taken for server in roster.servers) + line.slots
        self._wanted = self._scaling.wanted(demand, roster.slots_each, time.monotonic())
        roster.look(self._wanted)
        line.serve()
        if roster.failure is not None:
            failure = roster.failure
            line.refuse_all(lambda _: again(failure))
        line.refuse_late(lambda ticket: too_late(ticket, roster.servers, roster.given_up))

    def _seat(self, server: Server, count: int) -> Seat:
        seat = Seat(next(self._numbers), server, count, self._account, self._post_event)
        server.taken += count
        server.handed_out += count
        server.seats.add(seat)
        return seat

    def _free(self, seat: Seat) -> None:
        server = seat.server
        if seat in server.seats:
            server.seats.remove(seat)
            server.taken -= seat.count
            seat.leave()
            self._line.serve()
            if not server.wanted:
                self._news.set()

    def _enter(self, ticket: Ticket) -> None:
        try:
            self._admit(ticket)
        except Exception as error:
            self._fail(error)
            ticket.refuse(self._not_running())

    def _admit(self, ticket: Ticket) -> None:
        slots_each = self._roster.slots_each
        if self._closing:
            ticket.refuse(self._not_running())
        elif self._roster.failure is not None:
            ticket.refuse(again(self._roster.failure))
        elif slots_each is not None and ticket.count > slots_each:
            ticket.refuse(too_many(ticket, slots_each))
        else:
            self._line.enter(ticket)
            if ticket.seat is None:
                self._news.set()

    def _post(self, call: Callable[..., object], *arguments: object) -> bool:
        """Let a call be made in the fleet's thread; return False where there is none any more."""
        return self._thread.post(self._do, call, *arguments)

    def _do(self, call: Callable[..., object], *arguments: object) -> None:
        try:
            call(*arguments)
        except Exception as error:
            self._fail(error)

    def _post_event(self, event: FleetEvent) -> None:
        self._post(self._teller.tell, event)

    def take(self, count: int, timeout_s: float) -> Seat:
        """See `seated.Seating.take`."""
        told = threading.Event()
        ticket = Ticket(count, timeout_s, told.set)
        self._ask(ticket)
        try:
            told.wait()
        except BaseException:
            self._post(self._line.leave, ticket)
            raise
        return _taken(ticket)

    async def take_async(self, count: int, timeout_s: float) -> Seat:
        """See `seated.Seating.take_async`."""
        loop = asyncio.get_running_loop()
        told = asyncio.Event()
        ticket = Ticket(count, timeout_s, lambda: loop.call_soon_threadsafe(told.set))
        self._ask(ticket)
        try:
            await told.wait()
        except BaseException:
            self._post(self._line.leave, ticket)
            raise
        return _taken(ticket)

    def _ask(self, ticket: Ticket) -> None:
        self._check_here()
        if not self._post(self._enter, ticket):
            raise self._not_running()

    def _check_here(self) -> None:
        if not self._thread.is_here:
            raise UsageError(FORKED)

    def release(self, seat: Seat) -> None:
        """See `seated.Seating.release`."""
        if self._thread.is_here and not self._post(self._free, seat):
            seat.leave()

    def doubt(self, server: Server) -> None:
        """See `seated.Seating.doubt`."""
        self._post(self._roster.doubt, server)

    def status(self) -> FleetStatus:
        """Return how the fleet stands."""
        servers = tuple(
            ServerStatus(server.name, server.state.value, server.url, server.taken, server.capacity)
            for server in [*self._roster.servers]
        )
        account = self._account
        return FleetStatus(servers, self._wanted, self._line.slots, account.sessions, account.episodes)

    async def until_ready(self) -> None:
        """Return once as many servers are up as there must be at least. Raises why they will not be."""
        async with self._changed:
            while sum(server.url is not None and server.wanted for server in self._roster.servers) < self._scaling.bounds.least:
                if self._closing:
                    raise self._not_running("the fleet was closed while it started")
                if (failure := self._roster.given_up) is not None:
                    raise again(failure)
                await self._changed.wait()

    async def set_bounds(self, bounds: Bounds) -> None:
        """Keep between other bounds, and return as `until_ready` does."""
        self._scaling.set(bounds)
        self._roster.hope_again()
        self._news.set()
        await self.until_ready()

    def run(self, call: Callable[..., Coroutine[Any, Any, T]], *arguments: Any) -> concurrent.futures.Future[T]:
        """Run a coroutine function of this object in the fleet's thread. Raises `UsageError` where the fleet is closed."""
        self._check_here()
        asked = None if self._closing else self._thread.run(partial(call, *arguments))
        if asked is None:
            raise self._not_running()
        return asked

    async def wait_for(self, call: Callable[..., Coroutine[Any, Any, T]], *arguments: Any) -> T:
        """As `run`, awaited."""
        return await asyncio.wrap_future(self.run(call, *arguments))

    @property
    def is_open(self) -> bool:
        """Whether it has neither been closed nor stopped by a fault."""
        return not self._closing

    def check_open(self) -> None:
        """Raise what tells why it is not open, where it is not."""
        if self._closing:
            raise self._not_running()

    def interrupt(self) -> None:
        """Let threads that end with the fleet say nothing: the program is interrupted, which is said where it was."""
        hush()
        self._is_interrupted = True

    def close(self) -> None:
        """Stop all servers and the thread, and wait for that. Twice does no harm."""
        if self._thread.is_here:
            self.abandon()
            self._thread.join()

    async def close_async(self) -> None:
        """As `close`, awaited; goes on where the task that awaits it is cancelled."""
        if self._thread.is_here:
            self.abandon()
            while self._thread.is_alive:
                await asyncio.sleep(0.01)

    def abandon(self) -> None:
        """Close without waiting."""
        self._closing = True
        self._post(self._news.set)
        atexit.unregister(self.close)


def _taken(ticket: Ticket) -> Seat:
    if ticket.error is not None:
        raise ticket.error
    assert ticket.seat is not None
    return ticket.seat

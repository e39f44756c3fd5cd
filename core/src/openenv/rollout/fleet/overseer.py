"""The thread of a fleet, in which everything is decided."""

from __future__ import annotations

import asyncio
import atexit
import concurrent.futures
import itertools
import os
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, TypeVar

from ...errors import CapacityReached, ConnectError, LaunchError, OpenEnvError, UsageError
from ...launch.provider import RuntimeProvider
from .account import Account
from .events import FleetEvent, Teller, logger
from .roster import Roster
from .scaling import Scaling
from .seat import Seat
from .server import Server
from .settings import Bounds, FleetSettings
from .status import FleetStatus, ServerStatus
from .waiting import Ticket, WaitingLine

T = TypeVar("T")

LOOK_EVERY_S = 0.1

LAST_ROUNDS = 3
"""So many turns of the loop bring to an end what was asked for before it closed, so that nobody waits for ever."""

CLOSED = "the fleet is not running: start it with `async with`, `with` or start()"


class Overseer:
    """Runs a fleet in an event loop of its own; its public methods may be called from any thread and any event loop.

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
        self._make_provider = make_provider
        self._sessions_per_server = sessions_per_server
        self._settings = settings
        self._teller = teller
        self._scaling = Scaling(bounds, settings.target_load, settings.calm_s)
        self._wanted = bounds.least
        self._account = Account()
        self._numbers = itertools.count(1)
        self._process = os.getpid()
        self._closing = False
        self._posting = threading.RLock()
        self._ended = False
        self._line = WaitingLine(lambda: self._roster.servers, self._seat, self._free)
        self._roster: Roster
        self._loop: asyncio.AbstractEventLoop
        self._news: asyncio.Event
        self._changed: asyncio.Condition
        begun: concurrent.futures.Future[None] = concurrent.futures.Future()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run(begun)), name="openenv-fleet", daemon=True)
        self._thread.start()
        begun.result()
        atexit.register(self._end_with_program)

    async def _run(self, begun: concurrent.futures.Future[None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._news, self._changed = asyncio.Event(), asyncio.Condition()
        tell = self._post_event
        self._roster = Roster(self._make_provider, self._sessions_per_server, self._settings, tell, self._news.set)
        begun.set_result(None)
        while not self._closing:
            self._news.clear()
            try:
                self._look()
            except Exception:
                logger.exception("a fleet could not be looked after")
            async with self._changed:
                self._changed.notify_all()
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY_S):
                    await self._news.wait()
        self._line.refuse_all(lambda _: UsageError("the fleet was closed"))
        await self._roster.close()
        async with self._changed:
            self._changed.notify_all()
        with self._posting:
            self._ended = True
        for _ in range(LAST_ROUNDS):
            await asyncio.sleep(0)

    def _look(self) -> None:
        roster, line = self._roster, self._line
        demand = sum(server.taken for server in roster.servers) + line.slots
        self._wanted = self._scaling.wanted(demand, roster.slots_each, self._loop.time())
        roster.look(self._wanted)
        line.serve()
        if roster.failure is not None:
            failure = roster.failure
            line.refuse_all(lambda _: _again(failure))
        line.refuse_late(self._too_late)

    def _too_late(self, ticket: Ticket) -> Exception:
        servers = self._roster.servers
        ready = [server for server in servers if server.state == "ready"]
        if not ready:
            why = f"none of the fleet's {len(servers)} servers took sessions for {ticket.timeout_s:.3g} s"
            return ConnectError(f"{why}: {self._roster.given_up or 'they start, or do not answer'}")
        capacity = sum(server.capacity for server in servers)
        taken = sum(server.taken for server in servers)
        of = "session" if ticket.count == 1 else f"{ticket.count} slots of one server"
        return CapacityReached(
            f"no {of} came free within {ticket.timeout_s:.3g} s: {taken} of {capacity} slots of {len(ready)} servers are taken",
            retry_after_s=max(1.0, ticket.timeout_s),
            max_sessions=max(1, capacity),
            active_sessions=taken,
        )

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
        slots_each = self._roster.slots_each
        if self._closing:
            ticket.refuse(UsageError(CLOSED))
        elif self._roster.failure is not None:
            ticket.refuse(_again(self._roster.failure))
        elif slots_each is not None and ticket.count > slots_each:
            told = f"{ticket.count} slots of one server were asked for, and a server of this fleet has {slots_each}"
            ticket.refuse(CapacityReached(told, max_sessions=slots_each, active_sessions=0))
        else:
            self._line.enter(ticket)
            if ticket.seat is None:
                self._news.set()

    def _post(self, call: Callable[..., object], *arguments: object) -> bool:
        """Let a call be made in the fleet's thread; return False where there is none any more."""
        if self._process != os.getpid():
            return False
        with self._posting:
            if not self._ended:
                self._loop.call_soon_threadsafe(call, *arguments)
            return not self._ended

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
        if self._process != os.getpid():
            raise UsageError(
                "the fleet belongs to the process that started it: sessions are opened there, or with a fleet of its own"
            )
        if not self._post(self._enter, ticket):
            raise UsageError(CLOSED)

    def release(self, seat: Seat) -> None:
        """See `seated.Seating.release`."""
        if not self._post(self._free, seat):
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
                if (failure := self._roster.given_up) is not None:
                    raise _again(failure)
                if self._closing:
                    raise UsageError("the fleet was closed while it started")
                await self._changed.wait()

    async def set_bounds(self, bounds: Bounds) -> None:
        """Keep between other bounds, and return as `until_ready` does."""
        self._scaling.set(bounds)
        self._roster.hope_again()
        self._news.set()
        await self.until_ready()

    def run(self, call: Callable[..., Coroutine[Any, Any, T]], *arguments: Any) -> concurrent.futures.Future[T]:
        """Run a coroutine function of this object in the fleet's thread. Raises `UsageError` where the fleet is closed."""
        with self._posting:
            if self._closing or self._ended or self._process != os.getpid():
                raise UsageError(CLOSED)
            return asyncio.run_coroutine_threadsafe(call(*arguments), self._loop)

    async def wait_for(self, call: Callable[..., Coroutine[Any, Any, T]], *arguments: Any) -> T:
        """As `run`, awaited."""
        return await asyncio.wrap_future(self.run(call, *arguments))

    @property
    def is_open(self) -> bool:
        """Whether it has not been closed."""
        return not self._closing

    def close(self) -> None:
        """Stop all servers and the thread, and wait for that. Twice does no harm."""
        if self._process != os.getpid():
            return
        self._begin_closing()
        self._thread.join()

    async def close_async(self) -> None:
        """As `close`, awaited; goes on where the task that awaits it is cancelled."""
        if self._process != os.getpid():
            return
        self._begin_closing()
        while self._thread.is_alive():
            await asyncio.sleep(0.01)

    def abandon(self) -> None:
        """Close without waiting."""
        self._begin_closing()

    def _begin_closing(self) -> None:
        self._closing = True
        self._post(self._news.set)
        atexit.unregister(self._end_with_program)

    def _end_with_program(self) -> None:
        self.close()


def _taken(ticket: Ticket) -> Seat:
    if ticket.error is not None:
        raise ticket.error
    assert ticket.seat is not None
    return ticket.seat


def _again(error: BaseException) -> Exception:
    """Return an error once more, for another who is told of it."""
    if isinstance(error, OpenEnvError):
        return type(error)(error.message, **error.details)
    return LaunchError(f"a server could not be started: {type(error).__name__}: {error}")

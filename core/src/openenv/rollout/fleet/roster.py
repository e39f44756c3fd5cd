"""The servers of a fleet: which start, which stay, which go."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from ...errors import LaunchError, SessionLost
from ...launch.provider import RuntimeProvider
from .caretaker import Caretaker, Started
from .events import FleetEvent, Kind, logger
from .health import Health
from .restarts import Restarts
from .server import Server, ServerState
from .settings import FleetSettings


class Roster:
    """Brings the number of servers to what is wanted, replaces those that die, and gives up where none will start.

    Everything here happens in the event loop of the fleet.

    Args:
        make_provider: returns what starts a server.
        sessions_per_server: slots to hand out of each; None for as many as it says that it has.
        settings: times and limits.
        tell: told of events.
        post: lets a call be made in that event loop; may be called from any thread.
        on_change: told when a look at everything is due.
        on_fault: told of what went wrong in this code.

    Attributes:
        servers: those that start, run or drain.
    """

    def __init__(
        self,
        make_provider: Callable[[], RuntimeProvider],
        sessions_per_server: int | None,
        settings: FleetSettings,
        tell: Callable[[FleetEvent], None],
        post: Callable[..., object],
        on_change: Callable[[], None],
        on_fault: Callable[[Exception], None],
    ) -> None:
        self._make_provider = make_provider
        self._sessions_per_server = sessions_per_server
        self._settings = settings
        self._tell = tell
        self._post = post
        self._on_change = on_change
        self._on_fault = on_fault
        self.servers: list[Server] = []
        self._leaving: dict[Server, Caretaker] = {}
        self._to_replace: deque[str] = deque()
        self._number = 0
        self._restarts = Restarts(settings)

    @property
    def slots_each(self) -> int | None:
        """How many slots a server has, as far as it is known."""
        known = [server.capacity for server in self.servers if server.capacity]
        return max(known) if known else self._sessions_per_server

    @property
    def given_up(self) -> BaseException | None:
        """Why no further start is tried; None where they are."""
        return self._restarts.given_up

    @property
    def failure(self) -> BaseException | None:
        """Why there will be no server; None where there is one, or hope."""
        return None if any(server.wanted for server in self.servers) else self.given_up

    def hope_again(self) -> None:
        """Try to start servers, whatever failed before."""
        self._restarts.hope_again()

    def look(self, wanted: int) -> None:
        """Notice what has ended, and do what is to be done to have so many servers."""
        now = time.monotonic()
        for server in [*self.servers]:
            if server.state is not ServerState.STARTING and server.caretaker.is_running() is False:
                self.died(server, "its process has ended")
            elif not server.settled and server.ready_s and now - server.ready_s >= self._settings.settled_after_s:
                server.settled = True
                self._restarts.settled()
            elif server.state is ServerState.DRAINING:
                self._end_if_drained(server, now)
        missing = wanted - sum(server.wanted for server in self.servers)
        missing -= self._keep_after_all(missing)
        while len(self._to_replace) > max(missing, 0):
            self._to_replace.popleft()
        if missing > 0:
            self._start(missing, now)
        elif missing < 0:
            self._drain(-missing, now)

    def _start(self, missing: int, now: float) -> None:
        starting = sum(server.state is ServerState.STARTING for server in self.servers)
        for _ in range(min(missing, self._restarts.allowed(now) - starting)):
            self._begin(now)

    def _begin(self, now: float) -> None:
        self._number += 1
        server = Server(f"server-{self._number}", now)
        server.in_place_of = self._to_replace.popleft() if self._to_replace else None
        try:
            server.caretaker = Caretaker(
                server.name,
                self._make_provider,
                on_start=partial(self._post, self._started, server),
                on_end=partial(self._post, self._ended, server),
            )
        except RuntimeError as error:
            self._not_started(server, LaunchError(f"there is no thread to be had for it: {error}"))
        else:
            self.servers.append(server)

    def _started(self, server: Server, outcome: Started | BaseException) -> None:
        if server.state is not ServerState.STARTING:
            return
        if isinstance(outcome, BaseException):
            self._failed_to_start(server, outcome)
            return
        now = time.monotonic()
        server.url, server.headers, server.ready_s = outcome.url, outcome.headers, now
        server.capacity = self._capacity(server, outcome.capacity)
        server.state = ServerState.READY
        server.watching = asyncio.create_task(self._watch(server))
        server.watching.add_done_callback(self._watched)
        self._restarts.came_up()
        up = f"{server.name} is up at {server.url} after {now - server.begun_s:.1f} s, for {server.capacity} sessions"
        before = server.in_place_of
        self._say("replaced" if before else "started", server, f"{up}, in the place of {before}" if before else up)
        self._on_change()

    def _capacity(self, server: Server, told: int | None) -> int:
        if told is None and self._sessions_per_server is None:
            logger.warning(
                "%s does not say how many sessions it takes, and so gets one at a time: say sessions_per_server", server.name
            )
            return 1
        return min(number for number in (told, self._sessions_per_server) if number is not None)

    def _failed_to_start(self, server: Server, error: BaseException) -> None:
        self._remove(server)
        self._not_started(server, error)

    def _not_started(self, server: Server, error: BaseException) -> None:
        if server.in_place_of is not None:
            self._to_replace.appendleft(server.in_place_of)
        self._say("failed", server, f"{server.name} did not start: {error}")
        self._note_failure(server, error)

    def _note_failure(self, server: Server, error: BaseException) -> None:
        others_start = any(other.state is ServerState.STARTING for other in self.servers)
        if self._restarts.failed(server.begun_s, error, others_start=others_start):
            self._say("given_up", server, str(self.given_up))
        self._on_change()

    def died(self, server: Server, why: str) -> None:
        """Take a server for dead: its sessions are lost, and what may be left of it is stopped."""
        if server.state is ServerState.GONE:
            return
        replaced, episodes = server.wanted, sum(seat.episodes for seat in server.seats)
        self._remove(server)
        told = f"{server.name} at {server.url} died: {why}"
        self._say("died", server, f"{told}; episodes that ran on it: {episodes}")
        self._lose_sessions(server, f"{told}; its episode is gone: reset() starts another, on another server")
        if server.settled:
            self._restarts.died()
        elif replaced:
            self._note_failure(server, LaunchError(f"{told}, {time.monotonic() - server.ready_s:.1f} s after it had started"))
        if replaced:
            self._to_replace.append(server.name)
        self._on_change()

    def _lose_sessions(self, server: Server, why: str) -> None:
        for seat in [*server.seats]:
            seat.lose(SessionLost(why))

    def _remove(self, server: Server) -> None:
        """Let a server be stopped, and know it no more."""
        server.state = ServerState.GONE
        self.servers.remove(server)
        self._leaving[server] = server.caretaker
        if server.watching is not None:
            server.watching.cancel()
        server.caretaker.leave()

    def _ended(self, server: Server) -> None:
        self._leaving.pop(server, None)
        self._on_change()

    def doubt(self, server: Server) -> None:
        """Hand out nothing of a server before it has answered well again."""
        self._note_health(server, well=False)
        server.look.set()

    def _note_health(self, server: Server, *, well: bool) -> None:
        server.well = well
        if well and server.state is ServerState.UNWELL:
            server.state = ServerState.READY
            self._on_change()
        elif not well and server.state is ServerState.READY:
            server.state = ServerState.UNWELL

    async def _watch(self, server: Server) -> None:
        assert server.url is not None
        async with Health(server.url, server.headers, self._settings.health_timeout_s) as health:
            while True:
                server.look.clear()
                if await health.is_well():
                    if not server.look.is_set():
                        self._note_health(server, well=True)
                elif why := health.dead(may_be_draining=server.caretaker.is_running() is True):
                    self.died(server, why)
                    return
                else:
                    self._note_health(server, well=False)
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._settings.health_interval_s):
                        await server.look.wait()

    def _watched(self, watching: asyncio.Task[None]) -> None:
        error = None if watching.cancelled() else watching.exception()
        if isinstance(error, Exception):
            self._on_fault(error)

    def _keep_after_all(self, missing: int) -> int:
        """Let servers that drain stay, up to as many as are missing, those with the most sessions first; return how many."""
        draining = [server for server in self.servers if server.state is ServerState.DRAINING]
        kept = sorted(draining, key=lambda server: -server.taken)[: max(missing, 0)]
        for server in kept:
            server.state = ServerState.READY if server.well else ServerState.UNWELL
        return len(kept)

    def _drain(self, count: int, now: float) -> None:
        """Let the servers go that have the least to do; those that are not up yet first."""
        going = [server for server in self.servers if server.wanted]
        going.sort(key=lambda server: (server.state is not ServerState.STARTING, server.taken, -server.begun_s))
        for server in going[:count]:
            if server.state is ServerState.STARTING:
                self._remove(server)
                self._say("stopped", server, f"{server.name} is not wanted any more, and its start is broken off")
                continue
            server.state, server.draining_s = ServerState.DRAINING, now
            self._say("draining", server, f"{server.name} gets no new sessions; {server.taken} are still on it")
            self._end_if_drained(server, now)

    def _end_if_drained(self, server: Server, now: float) -> None:
        patience_s = self._settings.drain_timeout_s
        if server.taken and now - server.draining_s < patience_s:
            return
        self._remove(server)
        self._lose_sessions(
            server, f"{server.name} was not wanted any more, and stopped after {patience_s:g} s with sessions on it"
        )
        self._say("stopped", server, f"{server.name} is stopped: it was not wanted any more")

    def _say(self, kind: Kind, server: Server, message: str) -> None:
        self._tell(FleetEvent(kind, message, server.name, server.url))

    async def close(self, lost: Callable[[], SessionLost], *, abandoned: bool) -> None:
        """Stop all servers at the same time; those that do not stop in time are logged and left.

        Args:
            lost: returns what a session of theirs raises from now on.
            abandoned: count the episodes on them as abandoned rather than as lost.
        """
        self._on_change = lambda: None
        for server in [*self.servers]:
            self._remove(server)
            for seat in [*server.seats]:
                seat.lose(lost(), abandoned=abandoned)
        until = time.monotonic() + self._settings.close_timeout_s
        while self._leaving and time.monotonic() < until:
            await asyncio.sleep(0.01)
        for server in self._leaving:
            logger.warning(
                "%s at %s did not stop within %g s and is left", server.name, server.url, self._settings.close_timeout_s
            )

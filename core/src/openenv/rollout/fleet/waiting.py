"""Those who wait for a slot, and which server gives it."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable

from .seat import Seat
from .server import Server


class Ticket:
    """One who waits.

    Args:
        tell: called in the fleet's thread once it is served or refused; raises `RuntimeError` where nobody is there any more.

    Attributes:
        count: how many slots it wants, all of one server.
        timeout_s, until_s: how long it waits, and until when, as `time.monotonic` counts.
        seat: what it has got, or None.
        error: why it gets nothing, or None.
    """

    def __init__(self, count: int, timeout_s: float, tell: Callable[[], object]) -> None:
        self.count = count
        self.timeout_s = timeout_s
        self.until_s = time.monotonic() + timeout_s
        self.seat: Seat | None = None
        self.error: Exception | None = None
        self._tell = tell

    def give(self, seat: Seat) -> bool:
        """Hand over a seat; return False where nobody is there to take it."""
        self.seat = seat
        return self._told()

    def refuse(self, error: Exception) -> None:
        """Say that it gets nothing."""
        self.error = error
        self._told()

    def _told(self) -> bool:
        try:
            self._tell()
        except RuntimeError:  # its event loop has ended
            return False
        return True


class WaitingLine:
    """Serves in the order of coming; who wants many slots is not overtaken by those who want few.

    Args:
        servers: returns those that there are.
        seat: makes a seat of so many slots at a server.
        give_back: takes a seat that nobody took.
    """

    def __init__(
        self, servers: Callable[[], Iterable[Server]], seat: Callable[[Server, int], Seat], give_back: Callable[[Seat], None]
    ) -> None:
        self._servers = servers
        self._seat = seat
        self._give_back = give_back
        self._waiting: deque[Ticket] = deque()

    @property
    def slots(self) -> int:
        """How many slots are waited for. May be asked from any thread."""
        return sum(ticket.count for ticket in tuple(self._waiting))

    def enter(self, ticket: Ticket) -> None:
        """Let somebody wait, who may be served at once."""
        self._waiting.append(ticket)
        self.serve()

    def leave(self, ticket: Ticket) -> None:
        """Let go of somebody who waits no more; a seat that was given meanwhile is free again."""
        if ticket in self._waiting:
            self._waiting.remove(ticket)
            self.serve()
        elif ticket.seat is not None:
            self._give_back(ticket.seat)

    def serve(self) -> None:
        """Hand out what is free, each time from the server that has the least to do."""
        while self._waiting:
            ticket = self._waiting[0]
            free = [server for server in self._servers() if server.has_room(ticket.count)]
            if not free:
                return
            self._waiting.popleft()
            seat = self._seat(min(free, key=lambda server: server.load), ticket.count)
            if not ticket.give(seat):
                self._give_back(seat)

    def refuse_late(self, error: Callable[[Ticket], Exception]) -> None:
        """Refuse those whose time is over."""
        now = time.monotonic()
        for ticket in [ticket for ticket in self._waiting if ticket.until_s <= now]:
            self._waiting.remove(ticket)
            ticket.refuse(error(ticket))

    def refuse_all(self, error: Callable[[Ticket], Exception]) -> None:
        """Refuse everybody."""
        while self._waiting:
            ticket = self._waiting.popleft()
            ticket.refuse(error(ticket))

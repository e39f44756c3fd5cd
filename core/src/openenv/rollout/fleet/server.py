"""One server of a fleet."""

from __future__ import annotations

import asyncio
import enum
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .caretaker import Caretaker
    from .seat import Seat


class ServerState(enum.StrEnum):
    """Where a server stands."""

    STARTING = "starting"
    """It is not up yet."""
    READY = "ready"
    """It gets sessions."""
    UNWELL = "unwell"
    """Its last answer was not good: it gets no new sessions until the next that is."""
    DRAINING = "draining"
    """It gets no new sessions any more, and is stopped once it has none."""
    GONE = "gone"
    """It died, or is being stopped."""


WANTED = (ServerState.STARTING, ServerState.READY, ServerState.UNWELL)


class Server:
    """One server, as its fleet knows it; touched in the fleet's own thread.

    Attributes:
        name: in this fleet.
        begun_s: when its start began, as `time.monotonic` counts.
        url, headers, capacity, ready_s: what is known once it is up.
        in_place_of: name of the server that died and that it is started for; None where it is one more.
        well: whether its last answer was good, and nothing has cast doubt on it since.
        settled: whether it has run for long enough for its start to count as a success.
        taken: slots of it that are handed out.
        seats: those who have them.
        look: asks for a look at its health now.
    """

    def __init__(self, name: str, begun_s: float) -> None:
        self.name = name
        self.begun_s = begun_s
        self.state = ServerState.STARTING
        self.url: str | None = None
        self.headers: Mapping[str, str] = {}
        self.capacity = 0
        self.ready_s = 0.0
        self.in_place_of: str | None = None
        self.well = True
        self.settled = False
        self.draining_s = 0.0
        self.taken = 0
        self.handed_out = 0
        self.seats: set[Seat] = set()
        self.caretaker: Caretaker
        self.watching: asyncio.Task[None] | None = None
        self.look = asyncio.Event()

    @property
    def wanted(self) -> bool:
        """Whether it is to stay."""
        return self.state in WANTED

    def has_room(self, count: int) -> bool:
        """Return whether it can take so many more."""
        return self.state is ServerState.READY and self.taken + count <= self.capacity

    @property
    def load(self) -> tuple[float, int]:
        """How busy it is; among equals, the one that has been given the fewest so far comes first."""
        return (self.taken / self.capacity, self.handed_out)

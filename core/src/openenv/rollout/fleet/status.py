"""How a fleet stands."""

from __future__ import annotations

from dataclasses import dataclass

from .account import EpisodeCounts, SessionCounts


@dataclass(frozen=True)
class ServerStatus:
    """One server.

    Attributes:
        name: in this fleet.
        state: `starting`, `ready`, `unwell`, `draining` or `gone`, as `ServerState` explains them.
        url: where it is; None before it is up.
        taken: slots of it that are handed out.
        capacity: slots that it has; 0 before it is up.
    """

    name: str
    state: str
    url: str | None
    taken: int
    capacity: int


@dataclass(frozen=True)
class FleetStatus:
    """A fleet at one moment.

    Attributes:
        servers: those that start, run or drain.
        wanted: how many servers there should be now.
        waiting: slots that are waited for.
        sessions, episodes: how many there were, and what became of them.
    """

    servers: tuple[ServerStatus, ...]
    wanted: int
    waiting: int
    sessions: SessionCounts
    episodes: EpisodeCounts

    @property
    def ready(self) -> int:
        """How many servers get sessions."""
        return sum(server.state == "ready" for server in self.servers)

    @property
    def taken(self) -> int:
        """Slots that are handed out."""
        return sum(server.taken for server in self.servers)

    @property
    def capacity(self) -> int:
        """Slots that there are."""
        return sum(server.capacity for server in self.servers)

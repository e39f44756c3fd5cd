"""How many sessions and episodes there were, and what became of them."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class SessionCounts:
    """Sessions of a fleet; all that began and are open no more either ended or were lost.

    Attributes:
        begun: slots that were handed out and connected to.
        ended: closed by their client, or moved by it to another server with a reset.
        lost: gone with their server, or by themselves.
    """

    begun: int = 0
    ended: int = 0
    lost: int = 0

    @property
    def open(self) -> int:
        """Those that go on."""
        return self.begun - self.ended - self.lost


@dataclass(frozen=True)
class EpisodeCounts:
    """Episodes of a fleet; each that began is in one of the other numbers once it goes on no more.

    Attributes:
        begun: resets that returned an observation.
        finished: those whose end an observation told: `done`.
        lost: ended by a failure of what they ran on; nothing of it was ever a result of `step`.
        abandoned: reset or closed by their client before their end.
    """

    begun: int = 0
    finished: int = 0
    lost: int = 0
    abandoned: int = 0

    @property
    def running(self) -> int:
        """Those that go on."""
        return self.begun - self.finished - self.lost - self.abandoned


class Account:
    """The counts of a fleet; may be written from any thread."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self.sessions = SessionCounts()
        self.episodes = EpisodeCounts()

    def count_session(self, *, begun: int = 0, ended: int = 0, lost: int = 0) -> None:
        """Add to the sessions."""
        with self._turn:
            now = self.sessions
            self.sessions = replace(now, begun=now.begun + begun, ended=now.ended + ended, lost=now.lost + lost)

    def count_episodes(self, *, begun: int = 0, finished: int = 0, lost: int = 0, abandoned: int = 0) -> None:
        """Add to the episodes."""
        with self._turn:
            now = self.episodes
            self.episodes = EpisodeCounts(
                now.begun + begun, now.finished + finished, now.lost + lost, now.abandoned + abandoned
            )

"""What happens in a fleet, for those who watch it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

logger = logging.getLogger("openenv.fleet")

Kind = Literal["started", "replaced", "failed", "died", "draining", "stopped", "lost", "given_up"]

LEVELS: dict[Kind, int] = {
    "started": logging.INFO,
    "replaced": logging.INFO,
    "draining": logging.INFO,
    "stopped": logging.INFO,
    "failed": logging.WARNING,
    "died": logging.WARNING,
    "lost": logging.WARNING,
    "given_up": logging.ERROR,
}


@dataclass(frozen=True)
class FleetEvent:
    """Something that happened.

    Attributes:
        kind: `started`: a server is up. `replaced`: one is up in the place of one that died. `failed`: one did not start.
            `died`: one that ran is gone, or did not answer for too long. `draining`: one gets no new sessions and is about
            to be stopped. `stopped`: one that was no longer wanted is being stopped. `lost`: an episode ended with the server,
            the session or the environment that it ran on. `given_up`: no further start is tried.
        message: all of it in one line.
        server: its name in this fleet, `server-3`; names are not used twice.
        url: of the server; None before it has one.
        session: number of the session, of an episode that was lost.
        lane: of that session, where it has several.
        episode_id: as given to `reset`; None where none was given, and for what is no episode.
    """

    kind: Kind
    message: str
    server: str
    url: str | None = None
    session: int | None = None
    lane: int | None = None
    episode_id: str | None = None


class Teller:
    """Logs events and hands them to whoever asked for them."""

    def __init__(self, listener: Callable[[FleetEvent], object] | None) -> None:
        self._listener = listener

    def tell(self, event: FleetEvent) -> None:
        """Tell of an event. What the listener raises is logged."""
        logger.log(LEVELS[event.kind], "%s", event.message)
        if self._listener is None:
            return
        try:
            self._listener(event)
        except BaseException:  # `sys.exit` in there would end the fleet's thread, and nobody would be told
            logger.exception("the listener to a fleet's events failed at %r", event.kind)

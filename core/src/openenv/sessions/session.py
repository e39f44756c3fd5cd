"""One client's hold on one environment."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable

from ..errors import SessionLost
from ..wire.messages import Request
from ..wire.values import observation_data
from .calls import Encode
from .workers import Worker

KEPT_REPLIES = 64
"""How many named replies a session keeps for callers that ask again."""


class Session:
    """An environment in use: who may call it, and since when nobody has.

    Attributes:
        id: unguessable; knowing it is the right to use the session.
        idle_timeout_s: the session may be ended after so long without a call.
    """

    def __init__(self, worker: Worker, idle_timeout_s: float) -> None:
        self.id = secrets.token_urlsafe(24)
        self.idle_timeout_s = idle_timeout_s
        self._ended_because: str | None = None
        self.worker = worker
        self._calls = 0
        self._last_used = time.monotonic()
        self._replies: OrderedDict[str, asyncio.Future[bytes]] = OrderedDict()

    @property
    def ended(self) -> bool:
        """Whether calls are no longer taken."""
        return self._ended_because is not None

    def end(self, because: str) -> None:
        """Take no further calls, and tell those who try why."""
        self._ended_because = because

    @property
    def idle(self) -> bool:
        """Whether nobody has called for longer than allowed. With a call in flight a session is never idle."""
        return not self._calls and time.monotonic() - self._last_used > self.idle_timeout_s

    async def call(self, request: Request, encode: Encode = observation_data) -> bytes:
        """Run a request after those before it; returns and raises as `Calls.run`. Raises `SessionLost` once ended."""
        if self.ended:
            raise SessionLost(
                f"the session was ended and its episode with it, because {self._ended_because}: reset() starts another"
            )
        self._calls += 1
        try:
            return await self.worker.call(request, encode)
        finally:
            self._calls -= 1
            self._last_used = time.monotonic()

    async def call_once(self, name: str, run: Callable[[], Awaitable[bytes]]) -> bytes:
        """Run something under a name; the same name again returns or awaits the first one's outcome and runs nothing."""
        kept = self._replies.get(name)
        if kept is None:
            kept = self._replies[name] = asyncio.ensure_future(run())
            kept.add_done_callback(_mark_seen)
            if len(self._replies) > KEPT_REPLIES:
                self._replies.popitem(last=False)
        return await asyncio.shield(kept)


def _mark_seen(outcome: asyncio.Future[bytes]) -> None:
    """Read an outcome that may have lost its caller, so that nothing complains of an error nobody saw."""
    if not outcome.cancelled():
        outcome.exception()

"""One client's hold on the server."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable

from ..errors import SessionLost, ShuttingDown
from ..wire.messages import Request
from ..wire.values import encode as encode_v1
from .calls import Encode
from .lane import Lane
from .supply import Supply
from .ticket import Ticket

KEPT_REPLIES = 64
"""How many named replies a session keeps for callers that ask again."""


class Session:
    """A client's environment, and since when nobody has called it.

    Attributes:
        id: unguessable; knowing it is the right to use the session.
        lane: where the calls run.
        idle_timeout_s: the session may be ended after so long without a call.
    """

    def __init__(self, supply: Supply, idle_timeout_s: float, step_timeout_s: float | None = None) -> None:
        self.id = secrets.token_urlsafe(24)
        self.idle_timeout_s = idle_timeout_s
        self.lane = Lane(supply)
        self._supply = supply
        self._step_timeout_s = step_timeout_s
        self._ended_because: str | None = None
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
        return not self.lane.busy and time.monotonic() - self.lane.last_used > self.idle_timeout_s

    def submit(self, request: Request, encode: Encode, deadline_s: float | None = None) -> Ticket:
        """Let a call wait its turn, for at most `deadline_s` and what the server allows.

        Raises:
            SessionLost: the session has ended.
            ShuttingDown: the server is about to stop.
        """
        if self.ended:
            why = self._ended_because
            raise SessionLost(f"the session was ended and its episode with it, because {why}: reset() starts another")
        if self._supply.stopping:
            raise ShuttingDown("the server is shutting down and begins no further calls")
        longest_s = self._step_timeout_s
        if longest_s is not None and (deadline_s is None or deadline_s > longest_s):
            deadline_s = longest_s
        return self.lane.submit(request, encode, deadline_s)

    async def call(self, request: Request, encode: Encode = encode_v1, deadline_s: float | None = None) -> bytes:
        """Run a request after those before it; returns and raises as `Calls.run`, and `StepTimeout` past its deadline."""
        return await self.submit(request, encode, deadline_s).outcome()

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

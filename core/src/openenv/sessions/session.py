"""One client's hold on the server."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Any

from ..errors import (
    CallCancelled,
    InvalidActionError,
    OpenEnvError,
    SessionLost,
    ShuttingDown,
    StepTimeout,
    UnknownMessageTypeError,
)
from ..wire import jsonrpc, messages
from ..wire.codec import Codec
from ..wire.jsonrpc import SESSION_CLOSE, SESSION_CREATE, JsonRpcErrorCode, JsonRpcResponse
from ..wire.messages import Request
from ..wire.values import encode as encode_v1
from .agents import AgentNames
from .calls import Encode
from .lane import Lane
from .lanes import Lanes
from .supply import Supply
from .ticket import Ticket

KEPT_REPLIES = 64
"""How many named replies a session keeps for callers that ask again, beside those of calls that still run."""


class Session:
    """A client's environment, and since when nobody has called it.

    Attributes:
        id: unguessable; knowing it is the right to use the session.
        idle_timeout_s: the session may be ended after so long without a call.
        created_at: when it began, in seconds since 1970.
    """

    def __init__(
        self, supply: Supply, idle_timeout_s: float, step_timeout_s: float | None = None, agents: AgentNames | None = None
    ) -> None:
        self.id = secrets.token_urlsafe(24)
        self.idle_timeout_s = idle_timeout_s
        self.created_at = time.time()
        self._lane = Lane(supply)
        self._lanes: Lanes | None = None
        self._making_lanes: asyncio.Task[None] | None = None
        self._given_up: set[asyncio.Task[None]] = set()
        self._supply = supply
        self._step_timeout_s = step_timeout_s
        self._agents = agents or AgentNames()
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
    def busy(self) -> bool:
        """Whether a call waits or runs, or an environment is being built for one."""
        return self._lane.busy or self._making_lanes is not None or (self._lanes is not None and self._lanes.busy)

    @property
    def idle(self) -> bool:
        """Whether nobody has called for longer than allowed. With a call in flight a session is never idle."""
        return self.unused_s > self.idle_timeout_s

    @property
    def unused_s(self) -> float:
        """For how many seconds nobody has called; 0 with a call in flight."""
        if self.busy:
            return 0.0
        used = self._lane.last_used if self._lanes is None else max(self._lanes.last_used, self._lane.last_used)
        return time.monotonic() - used

    @property
    def steps(self) -> int:
        """How many steps the environment has done, in all episodes; of lanes, all together."""
        return self._lane.steps if self._lanes is None else self._lanes.steps

    async def open(self) -> None:
        """Take a slot and build the environment now, rather than with the first call; raises as `Lane.open`."""
        await self._lane.open()

    def submit(self, request: Request, codec: Codec, deadline_s: float | None = None) -> Ticket:
        """Let a call wait its turn, for at most `deadline_s` and what the server allows.

        Raises:
            SessionLost: the session has ended.
            ShuttingDown: the server is about to stop.
            InvalidActionError: lanes are named that are not there, or asked for where there can be none.
        """
        deadline_s = self._admit(request, deadline_s)
        if request.type == messages.LANES:
            return self._make_lanes(request, codec, deadline_s)
        if request.type == messages.MCP and (granted := self._granted(request)) is not None:
            ticket = Ticket(request, codec.encode, lambda _: None)
            ticket.settle(codec.encode(granted))
            return ticket
        if self._making_lanes is not None:
            raise InvalidActionError("this session's lanes are still being made: wait for the reply")
        if self._lanes is not None:
            return self._lanes.submit(request, codec, deadline_s)
        if request.lanes is not None:
            raise InvalidActionError("this session has no lanes: a 'lanes' message comes before all others")
        return self._lane.submit(request, codec.encode, deadline_s)

    def give_up(self, ticket: Ticket, kind: type[OpenEnvError] = CallCancelled) -> None:
        """Answer a call with an error before it has an outcome of its own; does nothing where it has one."""
        if ticket.request.type == messages.LANES:
            self._give_lanes_up(ticket, kind)
        elif self._lanes is not None:
            self._lanes.give_up(ticket, kind)
        else:
            self._lane.give_up(ticket, kind)

    def hold(self, full: bool) -> None:
        """Start no further call while `full`."""
        (self._lane if self._lanes is None else self._lanes).hold(full)

    async def close(self) -> None:
        """End what waits, close every environment after its call in flight, and let the slots go."""
        if self._making_lanes is not None:
            self._making_lanes.cancel()
            self._given_up.add(self._making_lanes)
        if self._given_up:
            await asyncio.wait(self._given_up)
        await self._lane.close()
        if self._lanes is not None:
            await self._lanes.close()

    def _admit(self, request: Request, deadline_s: float | None) -> float | None:
        """Return how long a new call may take.

        Raises:
            SessionLost: the session has ended.
            ShuttingDown: the server is about to stop.
            UnknownMessageTypeError: the server is in production mode, and the call is not of a tool.
        """
        if self._ended_because is not None:
            why = self._ended_because
            raise SessionLost(f"the session was ended and its episode with it, because {why}: reset() starts another")
        if self._supply.stopping:
            raise ShuttingDown("the server is shutting down and begins no further calls")
        if not self._supply.serves_episodes and request.type not in messages.IN_PRODUCTION:
            raise UnknownMessageTypeError(
                f"this server is in production mode: its tools can be called, and no {request.type} made"
            )
        longest_s = self._step_timeout_s
        return longest_s if longest_s is not None and (deadline_s is None or deadline_s > longest_s) else deadline_s

    def _granted(self, request: Request) -> dict[str, Any] | None:
        """Return the answer to who asks for a name by which agents may call this session's tools, else None.

        The session itself is not ended by such a name, but by its client.
        """
        if request.data.get("method") not in (SESSION_CREATE, SESSION_CLOSE):
            return None
        asked = jsonrpc.read(request.data)
        if isinstance(asked, JsonRpcResponse):
            return asked.model_dump()
        if asked.method == SESSION_CREATE:
            return JsonRpcResponse.success({"session_id": self._agents.add(self, owned=False)}, asked.id).model_dump()
        code, told = JsonRpcErrorCode.INVALID_PARAMS, "Invalid params - 'session_id' is required"
        if (given := asked.params.get("session_id")) is not None:
            try:
                self._agents.get(given)
                code, told = JsonRpcErrorCode.INVALID_REQUEST, "a socket's session ends with the socket"
            except SessionLost as error:
                told = error.message
        return JsonRpcResponse.error_response(code, told, request_id=asked.id).model_dump()

    def _make_lanes(self, request: Request, codec: Codec, deadline_s: float | None) -> Ticket:
        count, autoreset = request.data.get("count"), request.data.get("autoreset", messages.DISABLED)
        if type(count) is not int or count < 1:
            raise InvalidActionError("lanes need a 'count' of at least 1")
        if autoreset not in messages.AUTORESET:
            raise InvalidActionError(f"autoreset is {', '.join(map(repr, messages.AUTORESET))}, not {autoreset!r}")
        if self._lanes is not None or self._making_lanes is not None or self._lane.used:
            raise InvalidActionError("lanes are made once, before every other call of a session")
        ticket = Ticket(request, codec.encode, lambda _: None)
        lanes = Lanes(self._supply, count, autoreset)
        self._making_lanes = making = asyncio.get_running_loop().create_task(lanes.open())
        if deadline_s is not None:
            late = asyncio.get_running_loop().call_later(deadline_s, self._give_lanes_up, ticket, StepTimeout)
            making.add_done_callback(lambda _: late.cancel())

        def made(_: asyncio.Task[None]) -> None:
            self._given_up.discard(making)
            if self._making_lanes is making:
                self._making_lanes = None
            if making.cancelled() or ticket.done:
                ticket.settle(None, CallCancelled("the lanes were given up before they were there", started=False))
            elif (error := making.exception()) is not None:
                ticket.settle(None, error)
            else:
                self._lanes = lanes
                ticket.settle(codec.dump({"count": count, "autoreset": autoreset}))

        making.add_done_callback(made)
        return ticket

    def _give_lanes_up(self, ticket: Ticket, kind: type[OpenEnvError]) -> None:
        """Answer a request for lanes that are not there yet; what is built already is closed behind it."""
        if self._making_lanes is not None and not ticket.done:
            self._given_up.add(self._making_lanes)
            self._making_lanes.cancel()
            self._making_lanes = None
            ticket.settle(None, kind("the lanes were given up before they were there", started=False))

    async def call(self, request: Request, encode: Encode = encode_v1, deadline_s: float | None = None) -> bytes:
        """Run a request after those before it; returns and raises as `Calls.run`, and `StepTimeout` past its deadline.

        For protocols that have no lanes.
        """
        deadline_s = self._admit(request, deadline_s)
        if request.type == messages.MCP and (granted := self._granted(request)) is not None:
            return encode(granted)
        return await self._lane.submit(request, encode, deadline_s).outcome()

    async def call_once(self, name: str, run: Callable[[], Awaitable[bytes]]) -> bytes:
        """Run something under a name; the same name again returns or awaits the first one's outcome and runs nothing."""
        kept = self._replies.get(name)
        if kept is None:
            kept = self._replies[name] = asyncio.ensure_future(run())
            kept.add_done_callback(_mark_seen)
            if len(self._replies) > KEPT_REPLIES:
                outcomes = [name for name, reply in self._replies.items() if reply.done()]
                for oldest in outcomes[: len(self._replies) - KEPT_REPLIES]:
                    del self._replies[oldest]
        return await asyncio.shield(kept)


def _mark_seen(outcome: asyncio.Future[bytes]) -> None:
    """Read an outcome that may have lost its caller, so that nothing complains of an error nobody saw."""
    if not outcome.cancelled():
        outcome.exception()

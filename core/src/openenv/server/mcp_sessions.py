"""The sessions of agents, which reach tools and nothing else."""

from __future__ import annotations

import asyncio

import pydantic_core
from starlette.responses import Response
from starlette.types import Scope

from ..errors import OpenEnvError, SessionLost, SessionStuck, ShuttingDown, StepTimeout
from ..sessions.agents import Grant
from ..sessions.registry import Registry
from ..sessions.session import Session
from ..version import __version__
from ..wire import messages
from ..wire.jsonrpc import (
    SESSION_CLOSE,
    SESSION_CREATE,
    JsonRpcErrorCode,
    JsonRpcRequest,
    JsonRpcResponse,
)
from ..wire.messages import Request
from .workers.forwarding import reply_of
from .workers.neighbours import neighbours_of

INITIALIZE = "initialize"
PING = "ping"
VERSIONS = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")
"""Of MCP, whose sessions begin with `initialize`. Later ones know no sessions; their clients fall back to the last of these."""


class McpSessions:
    """What agents may do with sessions, which they reach by names of their own (`sessions.agents`)."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self._endings: set[asyncio.Future[None]] = set()

    def get(self, name: object) -> Grant:
        """Return a live session, and whose it is. Raises `SessionLost` for a name that stands for none."""
        return self.registry.agents.get(name)

    def begin(self) -> str:
        """Return the name of a new session, which takes a slot with its first call. Raises `ShuttingDown`."""
        return self.registry.agents.add(self.registry.begin(), owned=True)

    async def end(self, name: object) -> None:
        """Take a name back, and end the session if it is its agent's own. Raises `SessionLost` as `get`."""
        session, owned = self.registry.agents.get(name)
        self.registry.agents.forget(str(name))
        if owned:
            await self.registry.end(session, "its agent closed it")

    async def call(self, grant: Grant, request: JsonRpcRequest, *, standard: bool) -> bytes:
        """Return the answer to a request about tools; see `mcp.rpc.respond` for `standard`.

        An agent's own session whose tool never returned is ended, since nobody can reset it.

        Raises:
            SessionLost: the session has ended.
        """
        params = {name: value for name, value in request.params.items() if name != "session_id"}
        message = {"jsonrpc": request.jsonrpc, "method": request.method, "params": params, "id": request.id}
        try:
            return await grant.session.call(Request(messages.TOOLS if standard else messages.MCP, message))
        except SessionLost:
            raise
        except OpenEnvError as error:
            gave_up = isinstance(error, SessionStuck) or (isinstance(error, StepTimeout) and error.details.get("started"))
            if gave_up and grant.owned:
                self._end_later(grant.session)
            return encoded(failure(error, request))

    def _end_later(self, session: Session) -> None:
        """End a session behind its agent's back: closing it waits for the tool that never returned."""
        ending = asyncio.ensure_future(self.registry.end(session, "a tool of it never returned"))
        self._endings.add(ending)
        ending.add_done_callback(self._endings.discard)

    async def elsewhere(self, name: object, request: JsonRpcRequest | None, scope: Scope) -> Response | None:
        """Return the reply of the worker process in which a session lives; None: it is this one.

        Args:
            name: the session's, if it is one.
            request: what is asked of it; None to end it.
            scope: of the call, or of the socket on which it was asked.

        Raises:
            SessionLost: the worker process has ended.
            ShuttingDown: it has ended because the server stops.
        """
        neighbours = neighbours_of(scope)
        address = neighbours.of_session(name) if neighbours is not None and isinstance(name, str) else None
        if address is None:
            return None
        said = b"" if request is None else _said(request)
        reply = await reply_of(address, scope, "DELETE" if request is None else "POST", said)
        if reply is None:
            raise ShuttingDown("the server is shutting down") if self.registry.stopping else self.registry.agents.lost(name)
        return reply

    async def answer(self, request: JsonRpcRequest, scope: Scope, own: Session | None = None) -> bytes:
        """Return the answer to a message of OpenEnv's own form.

        Args:
            request: which may name its session by `session_id`.
            scope: of the call, or of the socket on which it was asked.
            own: the session that it is for where it names none; None for a fresh one, which ends with the call.
        """
        try:
            if request.method == SESSION_CREATE:
                session = own or await self.registry.open()
                name = self.registry.agents.add(session, owned=True)
                return encoded(JsonRpcResponse.success({"session_id": name}, request.id))
            given = request.params.get("session_id")
            if (reply := await self.elsewhere(given, request, scope)) is not None:
                return bytes(reply.body)
            if request.method == SESSION_CLOSE:
                if given is None:
                    return _invalid(request, "Invalid params - 'session_id' is required")
                await self.end(given)
                return encoded(JsonRpcResponse.success({"session_id": given, "closed": True}, request.id))
            if "session_id" in request.params:
                return await self.call(self.get(given), request, standard=False)
            if own is not None:
                return await self.call(Grant(own, owned=True), request, standard=False)
            session = self.registry.begin()
            try:
                return await self.call(Grant(session, owned=False), request, standard=False)
            finally:
                await self.registry.end(session, "it was for one call")
        except SessionLost as error:
            return _invalid(request, error.message)
        except OpenEnvError as error:
            return encoded(failure(error, request))

    def greeting(self, request: JsonRpcRequest) -> JsonRpcResponse:
        """Return the answer to an MCP client that introduces itself."""
        wanted = request.params.get("protocolVersion")
        spec = self.registry.spec
        result = {
            "protocolVersion": wanted if wanted in VERSIONS else VERSIONS[-1],
            "capabilities": {"tools": {"listChanged": False}},
            "serverInfo": {"name": spec.name, "version": __version__},
            "instructions": spec.metadata().description,
        }
        return JsonRpcResponse.success(result, request.id)


def failure(error: OpenEnvError, request: JsonRpcRequest) -> JsonRpcResponse:
    """Return the answer to a request that the server could not do."""
    data = {"code": error.code, **pydantic_core.to_jsonable_python(error.details, serialize_unknown=True)}
    return JsonRpcResponse.error_response(JsonRpcErrorCode.SERVER_ERROR, error.message, data, request.id)


def encoded(response: JsonRpcResponse) -> bytes:
    """Return an answer as JSON."""
    return response.model_dump_json().encode()


def _said(request: JsonRpcRequest) -> bytes:
    """Return a request as it was received: one without an id is a notification."""
    return pydantic_core.to_json(request.model_dump(exclude_unset=True), inf_nan_mode="constants")


def _invalid(request: JsonRpcRequest, told: str) -> bytes:
    return encoded(JsonRpcResponse.error_response(JsonRpcErrorCode.INVALID_PARAMS, told, request_id=request.id))

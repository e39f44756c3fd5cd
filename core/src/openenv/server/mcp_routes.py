"""Tools for agents: MCP's Streamable HTTP transport and JSON-RPC of OpenEnv's own form at `POST /mcp`, and WebSocket `/mcp`."""

from __future__ import annotations

import asyncio

from fastapi import FastAPI
from starlette.datastructures import Headers
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import WebSocketRoute
from starlette.types import Receive, Scope, Send

from ..errors import CallCancelled, SessionLost
from ..sessions.registry import Registry
from ..sessions.session import Session
from ..wire import jsonrpc
from ..wire.jsonrpc import JsonRpcErrorCode, JsonRpcRequest, JsonRpcResponse
from ..wire.messages import AGENT_SESSION_HEADER
from .http_routes import guarded, whole_body
from .http_sessions import while_connected
from .mcp_sessions import INITIALIZE, PING, McpSessions, encoded
from .origin import is_foreign
from .socket_routes import close, read_frames, send_text

VERSION_HEADER = "MCP-Protocol-Version"
READ_AHEAD = 16


def add_mcp_routes(app: FastAPI, registry: Registry) -> None:
    """Give an app the endpoints of agents."""
    sessions = McpSessions(registry)
    http = _StreamableHttp(sessions)
    for method, handler, summary in (("POST", http.post, "List and call tools"), ("DELETE", http.delete, "End a session")):
        app.add_api_route("/mcp", handler, methods=[method], summary=summary, tags=["Tools"], response_model=None)
    app.router.routes.append(WebSocketRoute("/mcp", McpSocket(sessions)))


class _StreamableHttp:
    """Handlers of `/mcp`.

    A client that introduces itself by `initialize` is an MCP client: its session is named by a header from then on. Others
    speak OpenEnv's form, and name their session, if they have one, in `params.session_id`. There is no `GET`, since the
    server has nothing to say unasked.
    """

    def __init__(self, sessions: McpSessions) -> None:
        self._sessions = sessions

    async def post(self, request: HttpRequest) -> Response:
        async def run() -> Response:
            message = jsonrpc.load(await whole_body(request, self._sessions.registry.settings.max_message_bytes))
            if isinstance(message, JsonRpcResponse):
                return _json(encoded(message))
            if "method" not in message and ("result" in message or "error" in message):
                return Response(status_code=202)
            read = jsonrpc.read(message)
            if isinstance(read, JsonRpcResponse):
                return _json(encoded(read))
            try:
                return await while_connected(request, self._answer(request, read, notification="id" not in message))
            except CallCancelled:
                return Response(status_code=499)

        return await guarded(request, run)

    async def _answer(self, http: HttpRequest, request: JsonRpcRequest, *, notification: bool) -> Response:
        name = http.headers.get(AGENT_SESSION_HEADER)
        if name is None and request.method != INITIALIZE and VERSION_HEADER not in http.headers:
            return _json(await self._sessions.answer(request, http.scope))
        try:
            if (reply := await self._sessions.elsewhere(name, request, http.scope)) is not None:
                return reply
            if request.method == INITIALIZE:
                return self._greet(request, name)
            grant = None if name is None else self._sessions.get(name)
            if notification:
                return Response(status_code=202)
            if request.method == PING:
                return _json(encoded(JsonRpcResponse.success({}, request.id)))
            if grant is None:
                told = "initialize first: this server's tools remember what was done in a session"
                refused = JsonRpcResponse.error_response(JsonRpcErrorCode.METHOD_NOT_FOUND, told, request_id=request.id)
                return _json(encoded(refused), 400)
            return _json(await self._sessions.call(grant, request, standard=True))
        except SessionLost as error:
            return _lost(request, error)

    def _greet(self, request: JsonRpcRequest, name: str | None) -> Response:
        """Begin a session, or join the one whose name the client was given by who plays the episode."""
        if name is None:
            name = self._sessions.begin()
        else:
            self._sessions.get(name)
        response = _json(encoded(self._sessions.greeting(request)))
        response.headers[AGENT_SESSION_HEADER] = name
        return response

    async def delete(self, request: HttpRequest) -> Response:
        async def run() -> Response:
            name = request.headers.get(AGENT_SESSION_HEADER)
            if (reply := await self._sessions.elsewhere(name, None, request.scope)) is not None:
                return reply
            await self._sessions.end(name)
            return Response(status_code=204)

        return await guarded(request, run)


class McpSocket:
    """An ASGI application: one JSON-RPC message a frame, and one session a socket, which ends with it."""

    def __init__(self, sessions: McpSessions) -> None:
        self._sessions = sessions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        headers = Headers(scope=scope)
        if is_foreign(headers.get("origin"), headers.get("host")):
            await close(send)
            return
        await send({"type": "websocket.accept"})
        frames: asyncio.Queue[str | bytes] = asyncio.Queue(READ_AHEAD)
        reading = asyncio.create_task(read_frames(receive, frames))
        answering = asyncio.create_task(self._serve(frames, scope, send))
        try:
            await asyncio.wait([reading, answering], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (reading, answering):
                task.cancel()
            await asyncio.gather(reading, answering, return_exceptions=True)

    async def _serve(self, frames: asyncio.Queue[str | bytes], scope: Scope, send: Send) -> None:
        session = self._sessions.registry.begin()
        try:
            while not session.ended:
                answer = await self._answer(await frames.get(), session, scope)
                if answer is not None:
                    await send_text(send, answer)
            await close(send)
        except OSError:
            pass  # the client went away
        finally:
            await self._sessions.registry.end(session, "its client closed it")

    async def _answer(self, frame: str | bytes, session: Session, scope: Scope) -> bytes | None:
        message = jsonrpc.load(frame)
        read = message if isinstance(message, JsonRpcResponse) else jsonrpc.read(message)
        if isinstance(read, JsonRpcResponse):
            return encoded(read)
        if read.method.startswith("notifications/"):
            return None
        if read.method == INITIALIZE:
            return encoded(self._sessions.greeting(read))
        if read.method == PING:
            return encoded(JsonRpcResponse.success({}, read.id))
        return await self._sessions.answer(read, scope, session)


def _lost(request: JsonRpcRequest, error: SessionLost) -> Response:
    lost = JsonRpcResponse.error_response(JsonRpcErrorCode.INVALID_REQUEST, error.message, request_id=request.id)
    return _json(encoded(lost), 404)


def _json(body: bytes, status: int = 200) -> Response:
    return Response(body, status, media_type="application/json")

"""Calls that reach a worker process though their session lives in another: they are forwarded there."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from functools import cache
from pathlib import Path

import httpx
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from ...errors import SessionLost
from ...wire.messages import SESSION_HEADER
from ..problems import problem

OF_THIS_CONNECTION = frozenset(
    {b"connection", b"keep-alive", b"proxy-connection", b"te", b"trailer", b"upgrade", b"expect", b"date", b"server"}
)
"""Headers that are not forwarded: each connection has its own."""

NOT_OF_A_MESSAGE = (b"sec-websocket-", b"mcp-")
"""So begin the headers that speak of a WebSocket as a whole, rather than of each message on it."""

FRAMED = frozenset({b"content-length", b"transfer-encoding"})


@cache
def _way(address: Path) -> httpx.AsyncHTTPTransport:
    """The way to another worker. A connection serves one call, so that one that breaks says that the worker has ended."""
    return httpx.AsyncHTTPTransport(uds=str(address), limits=httpx.Limits(max_connections=None, max_keepalive_connections=0))


class Forwarded(Response):
    """The reply of another worker.

    Args:
        address: of the other worker's socket.
        unreachable: gives the reply where the other cannot be reached.
        session: what the call names, by whichever means; told by header, which the other need not know a proxy's words to read.
        body: the request's, where it has been read already.
        move: let the client connect anew for its next call, which then goes to the right worker at once.
    """

    def __init__(
        self,
        address: Path,
        unreachable: Callable[[], Awaitable[Response]],
        *,
        session: str | None = None,
        body: bytes | None = None,
        move: bool = False,
    ) -> None:
        super().__init__()
        self._address = address
        self._unreachable = unreachable
        self._session = session
        self._body = body
        self._move = move

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        read = asyncio.Event()
        forwarding = asyncio.create_task(self._forward(scope, receive, send, read))
        leaving = asyncio.create_task(_gone(receive, read))
        try:
            await asyncio.wait((forwarding, leaving), return_when=asyncio.FIRST_COMPLETED)
        finally:
            leaving.cancel()
            if not forwarding.done():
                forwarding.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await forwarding

    async def _forward(self, scope: Scope, receive: Receive, send: Send, read: asyncio.Event) -> None:
        headers = _kept(scope["headers"])
        if self._session is not None:
            named = SESSION_HEADER.lower().encode()
            headers = [(name, value) for name, value in headers if name != named] + [(named, self._session.encode("latin-1"))]
        content: bytes | AsyncIterator[bytes] | None = self._body
        if content is None and any(name in FRAMED for name, _ in headers):
            content = _parts(receive, read)
        else:
            headers = [(name, value) for name, value in headers if name not in FRAMED]
            read.set()
        request = httpx.Request(scope["method"], _url(scope), headers=headers, content=content)
        begun = False
        try:
            reply = await _way(self._address).handle_async_request(request)
            async with contextlib.aclosing(reply):
                kept = _kept((name.lower(), value) for name, value in reply.headers.raw)
                if self._move:
                    kept.append((b"connection", b"close"))
                begun = True
                await send({"type": "http.response.start", "status": reply.status_code, "headers": kept})
                async for part in reply.aiter_raw():
                    await send({"type": "http.response.body", "body": part, "more_body": True})
                await send({"type": "http.response.body", "body": b""})
        except httpx.ConnectError:
            await (await self._unreachable())(scope, receive, send)
        except httpx.TransportError:
            if begun:
                raise
            await problem(_ended_meanwhile("reset() starts another"))(scope, receive, send)


async def reply_of(address: Path, scope: Scope, method: str, body: bytes) -> Response | None:
    """Return another worker's reply, read to its end; None: it cannot be reached.

    Args:
        address: of the other worker's socket.
        scope: of the HTTP call, or of the WebSocket on which there was a message.
        method: POST or DELETE.
        body: what was said.

    Raises:
        SessionLost: the other worker ended during the call.
    """
    headers = [(name, value) for name, value in _kept(scope["headers"]) if name not in FRAMED]
    if scope["type"] == "websocket":
        headers = [(name, value) for name, value in headers if not name.startswith(NOT_OF_A_MESSAGE)]
    try:
        reply = await _way(address).handle_async_request(httpx.Request(method, _url(scope), headers=headers, content=body))
        async with contextlib.aclosing(reply):
            content = await reply.aread()
    except httpx.ConnectError:
        return None
    except httpx.TransportError:
        raise _ended_meanwhile("begin another") from None
    response = Response(content, reply.status_code)
    response.raw_headers = _kept((name.lower(), value) for name, value in reply.headers.raw)
    return response


def _url(scope: Scope) -> httpx.URL:
    query = scope["query_string"]
    return httpx.URL(scheme="http", host="worker", raw_path=scope["raw_path"] + (b"?" + query if query else b""))


def _kept(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Return the headers that are forwarded."""
    return [(name, value) for name, value in headers if name not in OF_THIS_CONNECTION]


def _ended_meanwhile(then: str) -> SessionLost:
    return SessionLost(f"the worker process of this session ended during the call, and the session with it: {then}")


async def _parts(receive: Receive, read: asyncio.Event) -> AsyncIterator[bytes]:
    """Yield a request's body."""
    more = True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            raise httpx.ReadError("the caller went away")
        more = message.get("more_body", False)
        yield message.get("body", b"")
    read.set()


async def _gone(receive: Receive, read: asyncio.Event) -> None:
    """Return once the caller has gone away."""
    await read.wait()
    while (await receive())["type"] != "http.disconnect":
        pass

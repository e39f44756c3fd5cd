"""Which session an HTTP call belongs to."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import Response

from ..errors import CallCancelled, CapacityReached, OpenEnvError, SessionError, ShuttingDown
from ..sessions.registry import Registry
from ..sessions.session import Session
from ..wire.messages import NEW_SESSION, SESSION_HEADER
from .problems import problem
from .workers.forwarding import Forwarded
from .workers.neighbours import neighbours_of

T = TypeVar("T")

KEPT_OPENINGS = 1024


class HttpSessions:
    """Finds a call's session by header, else by cookie, else the default one.

    The default session belongs to callers that name none, plain `curl` for one: each of their resets replaces it.
    """

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._default: Session | None = None
        self._default_used_by_id = False
        self._opening_default = asyncio.Lock()
        self._openings: OrderedDict[str, _Opening] = OrderedDict()

    def elsewhere(self, request: Request) -> Response | None:
        """Return the reply of the worker process that a call is for, or None where it is for this one."""
        neighbours = neighbours_of(request.scope)
        name = named(request)
        if neighbours is None or name == NEW_SESSION:
            return None
        if name is not None:
            address = neighbours.of_session(name)
            error: OpenEnvError = self._registry.lost(name)
        elif self._registry.settings.http_default_session:
            address = neighbours.of_default_session()
            error = CapacityReached("the worker process of the default session is about to start again", retry_after_s=1.0)
        else:
            return None
        if self._registry.stopping:
            error = ShuttingDown("the server is shutting down")

        async def unreachable() -> Response:
            reply = problem(error)
            return forget_cookie(reply, request) if name is not None else reply

        return None if address is None else Forwarded(address, unreachable, session=name)

    def reset_elsewhere(
        self, request: Request, request_id: str | None, body: bytes, here: Callable[[], Awaitable[Response]]
    ) -> Response | None:
        """Return the reply of the worker process that opens sessions for resets with this `request_id`, or None for this one.

        Args:
            request: a reset that is for this process or for any.
            request_id: the same opens the same session, whichever worker is asked.
            body: of the request.
            here: does the reset in this process, where that one cannot be reached.
        """
        neighbours = neighbours_of(request.scope)
        name = named(request)
        fresh = name == NEW_SESSION or (name is None and not self._registry.settings.http_default_session)
        if neighbours is None or request_id is None or not fresh:
            return None
        address = neighbours.of_reset(request_id)
        return None if address is None else Forwarded(address, here, body=body, move=True)

    async def for_reset(self, request: Request, request_id: str | None) -> Session:
        """Return the session that a reset is for, a fresh one where it names none.

        Raises:
            SessionLost: it names one that is unknown.
            CallCancelled: the caller went away while a fresh one was being opened, or queued for.
            OpenEnvError: none could be opened.
        """
        name = named(request)
        if name == NEW_SESSION or (name is None and not self._registry.settings.http_default_session):
            return await while_connected(request, self._open_once(request_id, default=False))
        if name is None:
            return await while_connected(request, self._open_once(request_id, default=True))
        return self._by_id(name)

    def for_call(self, request: Request) -> Session:
        """Return the session that a step, a state or a deletion is for.

        Raises:
            SessionLost: the session named is unknown.
            SessionError: none is named, and no default session is open.
        """
        name = named(request)
        if name is not None and name != NEW_SESSION:
            return self._by_id(name)
        if self._default is None or self._default.ended or name == NEW_SESSION:
            raise SessionError("no session is open: POST /reset first")
        return self._default

    async def end(self, session: Session) -> None:
        """End a session and forget what was kept of it."""
        if session is self._default:
            self._default = None
        await self._registry.end(session)

    def mark(self, response: Response, request: Request, session: Session) -> Response:
        """Name the session in a reply, by header and by cookie."""
        response.headers[SESSION_HEADER] = session.id
        if request.cookies.get(cookie_name(request)) != session.id:
            response.set_cookie(cookie_name(request), session.id, httponly=True, samesite="strict")
        return response

    def _by_id(self, name: str) -> Session:
        session = self._registry.get(name)
        if session is self._default:
            self._default_used_by_id = True
        return session

    async def _open_once(self, request_id: str | None, *, default: bool) -> Session:
        """Open a session; a reset repeated under its `request_id` gets the one it opened the first time."""
        if request_id is None:
            return await self._open(default)
        opening = self._openings.get(request_id)
        if opening is None or opening.failed:
            opening = self._openings[request_id] = _Opening(self._open_named(default))
            if len(self._openings) > KEPT_OPENINGS:
                self._openings.popitem(last=False)
        return self._registry.get(await opening.session_id())

    async def _open_named(self, default: bool) -> str:
        return (await self._open(default)).id

    async def _open(self, default: bool) -> Session:
        if not default:
            return await self._registry.open()
        async with self._opening_default:
            await self._replace_default(None)
            session = await self._registry.open(self._registry.settings.http_default_idle_s)
            await self._replace_default(session)
        return session

    async def _replace_default(self, session: Session | None) -> None:
        """Put another session, or none, in the default's place, and end the old one unless somebody uses it by its id."""
        replaced, used_by_id = self._default, self._default_used_by_id
        self._default, self._default_used_by_id = session, False
        if replaced is not None and not used_by_id:
            await self._registry.end(replaced)


class _Opening:
    """The opening of a session that several calls may wait for; it is given up when all of them have gone away."""

    def __init__(self, opening: Coroutine[Any, Any, str]) -> None:
        self._task = asyncio.create_task(opening)
        self._waiting = 0
        self._given_up = False

    @property
    def failed(self) -> bool:
        return self._given_up or (self._task.done() and self._task.exception() is not None)

    async def session_id(self) -> str:
        """Return the session's id, or raise why there is none."""
        self._waiting += 1
        try:
            return await asyncio.shield(self._task)
        finally:
            self._waiting -= 1
            if not self._waiting and not self._task.done():
                self._given_up = True
                self._task.cancel()


async def while_connected(request: Request, opening: Coroutine[Any, Any, T]) -> T:
    """Await something, and give it up where the caller goes away meanwhile. Raises `CallCancelled` then."""
    leaving = asyncio.ensure_future(request.receive())
    opened = asyncio.ensure_future(opening)
    try:
        await asyncio.wait([opened, leaving], return_when=asyncio.FIRST_COMPLETED)
        if opened.done():
            return opened.result()
        raise CallCancelled("the caller went away")
    finally:
        leaving.cancel()
        opened.cancel()


def named(request: Request) -> str | None:
    """Return the session that a call names, by whichever means."""
    return request.headers.get(SESSION_HEADER) or request.cookies.get(cookie_name(request)) or None


def forget_cookie(response: Response, request: Request) -> Response:
    """Let a browser forget a session that is no more."""
    if cookie_name(request) in request.cookies:
        response.delete_cookie(cookie_name(request), httponly=True, samesite="strict")
    return response


def cookie_name(request: Request) -> str:
    """Return the cookie's name, with the port in it: cookies do not tell ports apart."""
    return f"openenv_session_{request.url.port or (443 if request.url.scheme == 'https' else 80)}"

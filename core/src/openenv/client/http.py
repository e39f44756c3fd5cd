"""The HTTP transport: a session named by a header, and calls that may safely be repeated."""

from __future__ import annotations

import asyncio
import time
import uuid
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, NamedTuple
from urllib.parse import quote

import httpx
import pydantic_core

from ..contract.tasks import TASK_PATHS
from ..errors import ConnectError, NotSupportedError, OpenEnvError, SessionLost, from_code
from ..wire import messages
from ..wire.values import dump_plain
from .address import is_loopback
from .transport import GRACE_S, Call, Options, check_supported, dumped

REPEAT_AFTER_S = (0.05, 0.2, 0.5, 1.0)
"""Pauses before a call that met a broken connection is repeated; its `request_id` keeps it from running twice."""


class HttpEndpoint:
    """A server reached at its `/reset`, `/step` and `/state`.

    Args:
        url: of the server.
        options: how to connect.
        sessions_required: refuse a server that names no session in its replies; False plays whatever it answers with.
    """

    def __init__(self, url: str, options: Options, *, sessions_required: bool = True) -> None:
        self.url = url
        self.options = options
        self.sessions_required = sessions_required

    def transport(self) -> HttpTransport:
        return HttpTransport(self.url, self.options, self.sessions_required)

    def blocking_transport(self) -> BlockingHttpTransport:
        return BlockingHttpTransport(self.url, self.options, self.sessions_required)


class _Message(NamedTuple):
    method: str
    path: str
    body: bytes | None


class _Exchange:
    """What both HTTP transports do between the network calls."""

    def __init__(self, url: str, options: Options, sessions_required: bool) -> None:
        self._url = url
        self._session: str | None = None
        self._client_options: dict[str, Any] = {
            "base_url": url,
            "timeout": httpx.Timeout(None, connect=options.connect_timeout_s),
            "cookies": CookieJar(DefaultCookiePolicy(allowed_domains=[])),  # sessions go by header only
            "limits": httpx.Limits(max_connections=4),
            "trust_env": not is_loopback(url),
            "verify": url.startswith("https"),
        }
        self._headers = dict(options.headers)
        self._connect_timeout_s = options.connect_timeout_s
        self._sessions_required = sessions_required
        self._begun_without_session = False
        self._environment: str | None = None

    def _message(self, call: Call) -> _Message:
        if call.type == messages.TASKS:
            return self._tasks_message(dict(call.payload))
        data = dumped(dump_plain, call) or b"{}"
        about = b'"timeout_s":%s,"request_id":"%s"' % (repr(call.timeout_s).encode(), uuid.uuid4().hex.encode())
        if call.type == messages.STEP:
            body = b'{"action":%s,%s}' % (data, about)
            return _Message("POST", "/step", body)
        if call.type == messages.RESET:
            comma = b"," if data != b"{}" else b""
            return _Message("POST", "/reset", b"{%s%s%s}" % (data[1:-1], comma, about))
        return _Message("GET", f"/state?timeout_s={call.timeout_s!r}", None)

    def _tasks_message(self, payload: dict[str, Any]) -> _Message:
        name = payload.pop("call")
        path = f"/{quote(self._environment or '', safe='')}/{TASK_PATHS[name]}"
        return _Message("POST", path, pydantic_core.to_json(payload)) if payload else _Message("GET", path, None)

    def _prepare(self, call: Call) -> tuple[_Message, dict[str, str]]:
        if call.type == messages.MCP:
            raise NotSupportedError("tools cannot be called by name over HTTP: use the WebSocket transport")
        if call.type != messages.TASKS:
            check_supported(call, "over HTTP: use the WebSocket transport")
            if self._session is None and call.type != messages.RESET and not self._begun_without_session:
                raise SessionLost("no episode is open: reset() first")
        headers = {
            **self._headers,
            messages.SESSION_HEADER: self._session or messages.NEW_SESSION,
            "Content-Type": "application/json",
        }
        return self._message(call), headers

    def _read(self, call: Call, response: httpx.Response) -> dict[str, Any]:
        content = self._content(response)
        if call.type == messages.TASKS:
            return {"splits": content} if isinstance(content, list) else dict(content)
        session = response.headers.get(messages.SESSION_HEADER)
        if session is None and self._sessions_required:
            raise ConnectError(f"{self._url} keeps no sessions over HTTP; use the WebSocket transport")
        self._session = session
        self._begun_without_session = session is None
        return dict(content)

    def _content(self, response: httpx.Response) -> Any:
        try:
            content = pydantic_core.from_json(response.content)
        except ValueError:
            raise ConnectError(f"{self._url} answered HTTP {response.status_code} with something that is not JSON") from None
        if response.is_success:
            return content
        error = _error(response.status_code, content)
        if isinstance(error, SessionLost):
            self._session = None
        raise error

    def _name_in(self, response: httpx.Response) -> str:
        names = self._content(response)
        if not isinstance(names, list) or not names:
            raise NotSupportedError(f"{self._url} offers no tasks")
        return str(names[0])

    def _unreachable(self, error: Exception) -> ConnectError:
        return ConnectError(f"cannot reach {self._url}: {str(error) or type(error).__name__}; is the server running?")


class HttpTransport(_Exchange):
    """One session over HTTP, used from one event loop."""

    def __init__(self, url: str, options: Options, sessions_required: bool) -> None:
        super().__init__(url, options, sessions_required)
        self._client: httpx.AsyncClient | None = None
        self._turn = asyncio.Lock()

    async def open(self) -> HttpTransport:
        self._client = httpx.AsyncClient(**self._client_options)
        try:
            (await self._client.get("/health", headers=self._headers, timeout=self._connect_timeout_s)).raise_for_status()
        except httpx.HTTPError as error:
            await self._client.aclose()
            raise self._unreachable(error) from None
        return self

    async def request(self, call: Call) -> dict[str, Any]:
        try:
            async with asyncio.timeout(call.timeout_s + GRACE_S), self._turn:
                return await self._exchange(call)
        except TimeoutError as error:
            if isinstance(error, OpenEnvError):
                raise
            raise call.late() from None

    async def _exchange(self, call: Call) -> dict[str, Any]:
        client = self._client
        if client is None:
            raise SessionLost("not connected")
        if call.type == messages.TASKS and self._environment is None:
            self._environment = self._name_in(await client.get("/list_environments", headers=self._headers))
        (method, path, body), headers = self._prepare(call)
        for pause_s in (*REPEAT_AFTER_S, None):
            try:
                return self._read(call, await client.request(method, path, content=body, headers=headers))
            except httpx.TransportError as error:
                if pause_s is None:
                    raise self._unreachable(error) from None
                await asyncio.sleep(pause_s)
        raise AssertionError("the last round returns or raises")

    async def close(self) -> None:
        client, self._client = self._client, None
        if client is None:
            return
        try:
            if self._session is not None:
                await client.delete("/session", headers={**self._headers, messages.SESSION_HEADER: self._session}, timeout=2.0)
        except httpx.HTTPError:
            pass  # the server is gone, and the session with it
        finally:
            self._session = None
            await client.aclose()


class BlockingHttpTransport(_Exchange):
    """As `HttpTransport`, for threads that wait."""

    def __init__(self, url: str, options: Options, sessions_required: bool) -> None:
        super().__init__(url, options, sessions_required)
        self._client: httpx.Client | None = None

    def open(self) -> BlockingHttpTransport:
        self._client = httpx.Client(**self._client_options)
        try:
            self._client.get("/health", headers=self._headers, timeout=self._connect_timeout_s).raise_for_status()
        except httpx.HTTPError as error:
            self._client.close()
            raise self._unreachable(error) from None
        return self

    def request(self, call: Call) -> dict[str, Any]:
        client = self._client
        if client is None:
            raise SessionLost("not connected")
        if call.type == messages.TASKS and self._environment is None:
            self._environment = self._name_in(client.get("/list_environments", headers=self._headers, timeout=call.timeout_s))
        (method, path, body), headers = self._prepare(call)
        deadline = time.monotonic() + call.timeout_s + GRACE_S
        for pause_s in (*REPEAT_AFTER_S, None):
            left_s = deadline - time.monotonic()
            try:
                return self._read(call, client.request(method, path, content=body, headers=headers, timeout=max(left_s, 0.001)))
            except httpx.TimeoutException:
                raise call.late() from None
            except httpx.TransportError as error:
                if pause_s is None or left_s < pause_s:
                    raise self._unreachable(error) from None
                time.sleep(pause_s)
        raise AssertionError("the last round returns or raises")

    def close(self) -> None:
        client, self._client = self._client, None
        if client is None:
            return
        try:
            if self._session is not None:
                client.delete("/session", headers={**self._headers, messages.SESSION_HEADER: self._session}, timeout=2.0)
        except httpx.HTTPError:
            pass  # the server is gone, and the session with it
        finally:
            self._session = None
            client.close()


_CODES = {400: "VALIDATION_ERROR", 404: "NOT_SUPPORTED", 422: "VALIDATION_ERROR", 501: "NOT_SUPPORTED"}
"""What a status means of a server that names no code."""


def _error(status: int, content: Any) -> OpenEnvError:
    details = dict(content) if isinstance(content, dict) else {}
    message = details.pop("detail", f"HTTP {status}")
    code = details.pop("code", _CODES.get(status, "EXECUTION_ERROR"))
    for name in ("type", "title", "status"):
        details.pop(name, None)
    return from_code(str(code), str(message), **details)

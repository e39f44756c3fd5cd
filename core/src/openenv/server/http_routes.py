"""The HTTP endpoints: `/reset`, `/step`, `/state` with sessions, and what a server says of itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pydantic_core
from fastapi import FastAPI
from pydantic import TypeAdapter, ValidationError
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, Response

from ..errors import InvalidActionError, InvalidMessageError, OpenEnvError, SessionLost, UnauthorizedError
from ..sessions.registry import Registry
from ..sessions.session import Session
from ..sessions.spec import EnvironmentSpec
from ..wire import messages
from ..wire.messages import Request
from ..wire.models import ResetRequest
from ..wire.validation import refusal
from ..wire.values import encode_http
from .http_sessions import HttpSessions, forget_cookie
from .origin import is_foreign
from .problems import problem


def add_http_routes(app: FastAPI, registry: Registry, reset_observation: type[Any] | None = None) -> None:
    """Give an app the HTTP endpoints of a registry's environment."""
    control = _Control(registry)
    schemas = _schemas(registry.spec, reset_observation)
    body = {"content": {"application/json": {"schema": {"type": "object"}}}}
    step_schema = {
        "type": "object",
        "required": ["action"],
        "properties": {"action": schemas["action"], "timeout_s": {"type": "number"}, "request_id": {"type": "string"}},
    }
    step_body = {"required": True, "content": {"application/json": {"schema": step_schema}}}

    def add(path: str, method: str, handler: Any, summary: str, tag: str, request_body: Any = None) -> None:
        extra = {"requestBody": request_body} if request_body else None
        app.add_api_route(
            path, handler, methods=[method], summary=summary, tags=[tag], openapi_extra=extra, response_model=None
        )

    if registry.serves_episodes:
        add("/reset", "POST", control.reset, "Start an episode", "Environment", body)
        add("/step", "POST", control.step, "Do one action", "Environment", step_body)
        add("/state", "GET", control.state, "Where the episode stands", "Environment")
        add("/session", "DELETE", control.end, "End the session", "Environment")

    async def health() -> JSONResponse:
        if registry.stopping:
            return JSONResponse({"status": "unhealthy"}, 503)
        return JSONResponse({"status": "healthy"})

    async def schema() -> JSONResponse:
        return JSONResponse(schemas)

    add("/health", "GET", health, "Whether the server answers", "Server")
    add("/schema", "GET", schema, "JSON schemas of action, observation and state", "Server")


def _schemas(spec: EnvironmentSpec, reset_observation: type[Any] | None) -> dict[str, Any]:
    models = {"action": spec.action, "observation": spec.observation, "state": spec.state}
    if reset_observation is not None:
        models["reset_observation"] = reset_observation
    return {name: TypeAdapter(model).json_schema() for name, model in models.items()}


class _Control:
    """Handlers of the calls that drive an episode."""

    def __init__(self, registry: Registry) -> None:
        self._sessions = HttpSessions(registry)
        self._longest = registry.settings.max_message_bytes

    async def reset(self, request: HttpRequest) -> Response:
        async def run() -> Response:
            body = await whole_body(request, self._longest)
            data = fields_of(body)
            request_id = _request_id(data)
            data |= _read_reset(data)

            async def here() -> Response:
                return await guarded(request, lambda: self._reset(request, data, request_id), self._sessions)

            return self._sessions.reset_elsewhere(request, request_id, body, here) or await here()

        return await guarded(request, run, self._sessions)

    async def _reset(self, request: HttpRequest, data: dict[str, Any], request_id: str | None) -> Response:
        session = await self._sessions.for_reset(request, request_id)
        deadline_s = _timeout(data)
        return await self._run(request, session, Request(messages.RESET, data, deadline_s), request_id)

    async def step(self, request: HttpRequest) -> Response:
        async def run() -> Response:
            data = fields_of(await whole_body(request, self._longest))
            action = data.get("action")
            if not isinstance(action, dict):
                raise InvalidActionError("a step's body needs 'action' to be an object: {\"action\": {…}}")
            session = self._sessions.for_call(request)
            return await self._run(request, session, Request(messages.STEP, action, _timeout(data)), _request_id(data))

        return await guarded(request, run, self._sessions)

    async def state(self, request: HttpRequest) -> Response:
        async def run() -> Response:
            session = self._sessions.for_call(request)
            return await self._run(request, session, Request(messages.STATE, None, _query_timeout(request)), None)

        return await guarded(request, run, self._sessions)

    async def end(self, request: HttpRequest) -> Response:
        async def run() -> Response:
            await self._sessions.end(self._sessions.for_call(request))
            return Response(status_code=204)

        return await guarded(request, run, self._sessions)

    async def _run(self, http: HttpRequest, session: Session, request: Request, request_id: str | None) -> Response:
        def call() -> Awaitable[bytes]:
            return session.call(request, encode_http, request.timeout_s)

        try:
            if request_id is None:
                data = await call()
            else:
                data = await session.call_once(f"{request.type}:{request_id}", call)
        except OpenEnvError as error:
            return self._sessions.mark(problem(error), http, session)
        return self._sessions.mark(Response(data, media_type="application/json"), http, session)


async def guarded(
    request: HttpRequest, run: Callable[[], Awaitable[Response]], sessions: HttpSessions | None = None
) -> Response:
    """Run a handler, here or where its session lives; refuse other sites' pages, tell errors as problem documents."""
    origin = request.headers.get("origin")
    if request.method != "GET" and is_foreign(origin, request.headers.get("host")):
        return problem(UnauthorizedError(f"a page of {origin} may not drive this server's environments"), 403)
    try:
        return (sessions.elsewhere(request) if sessions is not None else None) or await run()
    except SessionLost as error:
        return forget_cookie(problem(error), request)
    except TooLong as error:
        return problem(error, 413)
    except OpenEnvError as error:
        return problem(error)


class TooLong(InvalidActionError):
    """A body of more bytes than the server takes."""


async def whole_body(request: HttpRequest, longest: int) -> bytes:
    """Return a request's body. Raises `TooLong`."""
    raw = bytearray()
    async for part in request.stream():
        raw += part
        if len(raw) > longest:
            raise TooLong(f"the body has more than {longest} bytes (max_message_bytes)")
    return bytes(raw)


def fields_of(body: bytes) -> dict[str, Any]:
    if not body.strip():
        return {}
    try:
        data = pydantic_core.from_json(body)
    except ValueError as error:
        raise InvalidMessageError(f"the body is not JSON: {error}") from None
    if not isinstance(data, dict):
        raise InvalidActionError("the body must be a JSON object")
    return data


def _read_reset(data: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments that every reset has. Raises `InvalidActionError` where they are none."""
    try:
        read = ResetRequest.model_validate(data)
    except ValidationError as error:
        raise refusal(error, "the body") from None
    return read.model_dump(include={"seed", "episode_id"}, exclude_unset=True)


def _request_id(data: dict[str, Any]) -> str | None:
    request_id = data.pop("request_id", None)
    if request_id is not None and not isinstance(request_id, str):
        raise InvalidActionError("request_id must be text")
    return request_id


def _timeout(data: dict[str, Any]) -> float | None:
    timeout_s = data.pop("timeout_s", None)
    if timeout_s is None:
        return None
    if isinstance(timeout_s, bool) or not isinstance(timeout_s, int | float) or not timeout_s > 0:
        raise InvalidActionError("timeout_s must be a number of seconds above 0")
    return float(timeout_s)


def _query_timeout(request: HttpRequest) -> float | None:
    text = request.query_params.get("timeout_s")
    try:
        return None if text is None else _timeout({"timeout_s": float(text)})
    except ValueError:
        raise InvalidActionError("timeout_s must be a number of seconds above 0") from None

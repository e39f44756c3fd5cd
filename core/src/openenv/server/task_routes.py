"""The HTTP endpoints of what an environment offers: its tasks by split, and its metadata."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import pydantic_core
from fastapi import FastAPI
from pydantic import BaseModel, ValidationError
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, Response

from ..contract.tasks import TASK_CALLS, TASK_PATHS
from ..errors import InvalidActionError, InvalidMessageError, OpenEnvError, RequestError, UnauthorizedError
from ..sessions.offers import CALL
from ..sessions.registry import Registry
from ..sessions.spec import overrides
from ..wire import messages
from ..wire.messages import Request
from ..wire.validation import refusal
from .http_sessions import named
from .origin import is_foreign
from .problems import problem
from .workers.forwarding import Forwarded
from .workers.neighbours import neighbours_of

LONGEST_BODY = 64 * 1024


def add_task_routes(app: FastAPI, registry: Registry) -> None:
    """Give an app `/metadata`, and where it serves episodes `/list_environments` and the paths of `TASK_PATHS`."""
    offers = _Offers(registry)

    def add(path: str, method: str, handler: Any, summary: str, tag: str, body: type[BaseModel] | None = None) -> None:
        content = {"application/json": {"schema": body.model_json_schema()}} if body else None
        extra = {"requestBody": {"required": True, "content": content}} if content else None
        app.add_api_route(
            path, handler, methods=[method], summary=summary, tags=[tag], openapi_extra=extra, response_model=None
        )

    add("/metadata", "GET", offers.metadata, "Name and description of the environment", "Server")
    if not registry.serves_episodes:
        return
    add("/list_environments", "GET", offers.environments, "Names of the environments", "Tasks")
    add("/{env_name}/splits", "GET", offers.splits, "The splits of the environment's tasks", "Tasks")
    for call, body in TASK_CALLS.items():
        if body is not None:
            add(f"/{{env_name}}/{TASK_PATHS[call]}", "POST", offers.handler(call, body), call.replace("_", " "), "Tasks", body)


class _Offers:
    """Asks an environment: the caller's own where a session is named, else one that is built for the question."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._metadata: bytes | None = None

    async def environments(self) -> JSONResponse:
        return JSONResponse([self._registry.spec.name])

    async def metadata(self, request: HttpRequest) -> Response:
        cls = self._registry.spec.cls
        if self._metadata is None and overrides(cls, "get_metadata") and hasattr(cls, "get_metadata"):
            return await self._where_its_session_lives(request, partial(self._ask_metadata, request))
        return self._told()

    async def _ask_metadata(self, request: HttpRequest) -> Response:
        try:
            self._metadata = await self._ask(request, Request(messages.METADATA), wait=False)
        except OpenEnvError as error:
            return problem(error)
        return self._told()

    def _told(self) -> Response:
        return Response(self._metadata or self._registry.spec.metadata().model_dump_json(), media_type="application/json")

    async def splits(self, env_name: str, request: HttpRequest) -> Response:
        async def run() -> Any:
            return (await self._tasks(request, {CALL: "list_splits"}))["splits"]

        return await self._where_its_session_lives(request, partial(self._answered, env_name, run))

    def handler(self, call: str, model: type[BaseModel]) -> Callable[[str, HttpRequest], Awaitable[Response]]:
        """Return the handler of a call that has arguments."""

        async def answer(env_name: str, request: HttpRequest) -> Response:
            origin = request.headers.get("origin")
            if is_foreign(origin, request.headers.get("host")):
                return problem(UnauthorizedError(f"a page of {origin} may not use this server's environments"), 403)
            try:
                body = model.model_validate(await _body(request))
            except ValidationError as error:
                return problem(refusal(error, "the body"))
            except RequestError as error:
                return problem(error)

            async def run() -> Any:
                reply = await self._tasks(request, {CALL: call, **body.model_dump()})
                return {**reply, "env_name": env_name} if call == "list_tasks" else reply

            return await self._answered(env_name, run)

        async def handle(env_name: str, request: HttpRequest) -> Response:
            return await self._where_its_session_lives(request, partial(answer, env_name, request))

        return handle

    async def _where_its_session_lives(self, request: HttpRequest, here: Callable[[], Awaitable[Response]]) -> Response:
        """Answer here, or let the worker process answer whose session is named; here, too, where that has ended."""
        name, neighbours = named(request), neighbours_of(request.scope)
        address = None if name is None or neighbours is None else neighbours.of_session(name)
        return await here() if address is None else Forwarded(address, here, session=name)

    async def _answered(self, env_name: str, run: Callable[[], Awaitable[Any]]) -> Response:
        if env_name != self._registry.spec.name:
            return problem(InvalidActionError(f"unknown environment {env_name!r}"), 404)
        try:
            return Response(pydantic_core.to_json(await run()), media_type="application/json")
        except InvalidActionError as error:
            return problem(error, 400)
        except OpenEnvError as error:
            return problem(error)

    async def _tasks(self, request: HttpRequest, data: dict[str, Any]) -> dict[str, Any]:
        reply = await self._ask(request, Request(messages.TASKS, data))
        assert reply is not None
        return dict(pydantic_core.from_json(reply))

    async def _ask(self, http: HttpRequest, request: Request, *, wait: bool = True) -> bytes | None:
        """Return the reply, or None where that would mean to wait for a slot and `wait` is False."""
        registry = self._registry
        name = named(http)
        if name and registry.has(name):
            return await registry.get(name).call(request)
        if not wait and registry.slots_taken >= registry.capacity:
            return None
        session = await registry.open()
        try:
            return await session.call(request)
        finally:
            await registry.end(session)


async def _body(request: HttpRequest) -> Any:
    raw = bytearray()
    async for part in request.stream():
        raw += part
        if len(raw) > LONGEST_BODY:
            raise InvalidActionError(f"the body has more than {LONGEST_BODY} bytes")
    try:
        return pydantic_core.from_json(bytes(raw))
    except ValueError as error:
        raise InvalidMessageError(f"the body is not JSON: {error}") from None

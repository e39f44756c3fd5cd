"""The playground's routes: its page at `/web`, and what drives its episode beside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from ..errors import InvalidActionError
from ..sessions.registry import Registry
from ..web import WebInterfaceManager, get_gradio_display_title, get_quick_start_markdown
from ..web.form import action_fields
from ..web.gradio_page import build_gradio_app, gradio_module
from ..web.seat import Seat
from .http_routes import fields_of, guarded, whole_body
from .origin import is_foreign


@dataclass(frozen=True)
class Tabs:
    """What the page consists of; see `create_app`."""

    builder: Callable[..., Any] | None = None
    custom_name: str = "Custom"
    custom_first: bool = False
    default: bool = True
    title: str | None = None


def add_web_routes(app: FastAPI, registry: Registry, tabs: Tabs) -> None:
    """Add the playground to an application; does nothing in production mode.

    Its episode is a session of the server's, which all visitors share; unused, it ends as HTTP's default session does.

    Raises:
        MissingExtra: Gradio is not installed; nothing has been added.
    """
    if not registry.serves_episodes:
        return
    gradio = gradio_module()
    spec = registry.spec
    seat = Seat(registry, registry.settings.http_default_idle_s)
    playground = WebInterfaceManager(spec.cls, spec.action, spec.observation, spec.metadata(), seat=seat)
    endpoints = _Endpoints(playground, registry.settings.max_message_bytes)
    app.router.routes += [
        Route("/", endpoints.page, methods=["GET"]),
        Route("/web", endpoints.page, methods=["GET"]),
        Route("/web/metadata", endpoints.metadata, methods=["GET"]),
        Route("/web/reset", endpoints.reset, methods=["POST"]),
        Route("/web/step", endpoints.step, methods=["POST"]),
        Route("/web/state", endpoints.state, methods=["GET"]),
        WebSocketRoute("/ws/ui", endpoints.watch),
    ]
    gradio.mount_gradio_app(app, _page(gradio, playground, tabs), path="/web")


def _page(gradio: Any, playground: WebInterfaceManager, tabs: Tabs) -> Any:
    fields = action_fields(playground.action_cls)
    is_chat = [(field["name"], field["type"]) for field in fields if field["required"]] == [("message", "text")]
    metadata = playground.metadata
    title = tabs.title or get_gradio_display_title(metadata)
    start = get_quick_start_markdown(metadata, playground.action_cls, playground.observation_cls)
    given = (playground, fields, metadata, is_chat, title, start)
    if tabs.builder is None:
        return build_gradio_app(*given)
    custom = tabs.builder(*given)
    if not tabs.default:
        return custom
    pages = [(build_gradio_app(*given), "Playground"), (custom, tabs.custom_name)]
    blocks, names = zip(*(reversed(pages) if tabs.custom_first else pages), strict=True)
    return gradio.TabbedInterface(list(blocks), list(names), title=title, analytics_enabled=False)


class _Endpoints:
    def __init__(self, playground: WebInterfaceManager, longest: int) -> None:
        self._playground = playground
        self._longest = longest

    async def page(self, request: HttpRequest) -> Response:
        return RedirectResponse(f"{request.scope.get('root_path', '')}/web/")

    async def metadata(self, request: HttpRequest) -> Response:
        return JSONResponse(self._playground.metadata.model_dump())

    async def reset(self, request: HttpRequest) -> Response:
        async def run() -> Response:
            data = fields_of(await whole_body(request, self._longest))
            return JSONResponse(await self._playground.reset_environment(data))

        return await guarded(request, run)

    async def step(self, request: HttpRequest) -> Response:
        async def run() -> Response:
            data = fields_of(await whole_body(request, self._longest))
            action = data.get("action")
            if not isinstance(action, dict):
                raise InvalidActionError("the body must have an 'action', a JSON object")
            return JSONResponse(await self._playground.step_environment(action))

        return await guarded(request, run)

    async def state(self, request: HttpRequest) -> Response:
        return JSONResponse(self._playground.get_state())

    async def watch(self, websocket: WebSocket) -> None:
        """Send the episode to who watches, until they leave; what they send is not read."""
        if is_foreign(websocket.headers.get("origin"), websocket.headers.get("host")):
            await websocket.close()
            return
        await self._playground.connect_websocket(websocket)
        try:
            while True:
                await websocket.receive_text()
        except (WebSocketDisconnect, KeyError):
            await self._playground.disconnect_websocket(websocket)

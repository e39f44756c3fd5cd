"""Puts a server together."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from starlette.routing import WebSocketRoute

from ..sessions.registry import Registry
from ..sessions.settings import Settings
from ..sessions.spec import environment_spec
from ..version import __version__
from .http_routes import add_http_routes
from .mcp_routes import add_mcp_routes
from .socket_routes import SocketEndpoint


def create_app(
    env: Any,
    action_cls: type[Any] | None = None,
    observation_cls: type[Any] | None = None,
    env_name: str | None = None,
    max_concurrent_envs: int | None = None,
    *,
    state_cls: type[Any] | None = None,
    mode: str | None = None,
    **settings: Any,
) -> FastAPI:
    """Return the web application that serves an environment.

    Args:
        env: an `Environment` class, a factory of them, or one instance (which then serves one session at a time).
        action_cls, observation_cls, state_cls: the models; None takes them from the class's `Environment[…]`.
        env_name: what the server calls itself; None takes the class's name.
        max_concurrent_envs: sessions at once; None means 256 where the environment declares
            `SUPPORTS_CONCURRENT_SESSIONS`, else 1; with `isolation="process"` 64 for every environment.
        mode: `"simulation"`, or `"production"`: tools for agents and nothing else. None takes `OPENENV_MODE`.
        settings: any other field of `openenv.sessions.settings.Settings`, over its environment variable.

    Raises:
        UsageError: the environment, its models or a setting cannot work; the message says what to change.
        FactoryError: `env` is a factory without a return annotation, was called to see its class, and failed.
    """
    spec = environment_spec(env, action_cls, observation_cls, state_cls, name=env_name)
    registry = Registry(spec, Settings.from_environment(max_concurrent_envs=max_concurrent_envs, mode=mode, **settings))

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        registry.prepare()
        yield
        await registry.close()

    app = FastAPI(title=spec.name, description=spec.metadata().description, version=__version__, lifespan=lifespan)
    app.state.registry = registry
    add_http_routes(app, registry)
    add_mcp_routes(app, registry)
    app.router.routes.append(WebSocketRoute("/ws", SocketEndpoint(registry)))
    return app


def create_fastapi_app(
    env: Any,
    action_cls: type[Any] | None = None,
    observation_cls: type[Any] | None = None,
    max_concurrent_envs: int | None = None,
    *,
    env_name: str | None = None,
    state_cls: type[Any] | None = None,
    mode: str | None = None,
    **settings: Any,
) -> FastAPI:
    """As `create_app`, with the order of arguments that this name has always had."""
    chosen = {"state_cls": state_cls, "mode": mode, **settings}
    return create_app(env, action_cls, observation_cls, env_name, max_concurrent_envs, **chosen)

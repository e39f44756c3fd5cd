"""Gives a web application the routes of an environment."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from fastapi import FastAPI
from starlette.routing import WebSocketRoute

from ..contract.mode import ServerMode
from ..errors import UsageError
from ..sessions.capacity import ConcurrencyConfig, ServerCapacityStatus, SessionInfo
from ..sessions.registry import Registry
from ..sessions.settings import Settings
from ..sessions.spec import environment_spec
from .http_routes import add_http_routes
from .mcp_routes import add_mcp_routes
from .metrics import add_metrics_route
from .socket_routes import SocketEndpoint
from .task_routes import add_task_routes


class HTTPEnvServer:
    """An environment, ready to be served by any FastAPI application.

    Args:
        env: an `Environment` class, a factory of them, or one instance (which then serves one session at a time).
        action_cls, observation_cls, state_cls: the models; None takes them from the class's `Environment[…]`.
        max_concurrent_envs: sessions at once; None: see `Settings`.
        concurrency_config: the same, with the time after which an unused session ends; instead of `max_concurrent_envs`.
        env_name: what the server calls itself; None takes the class's name.
        reset_observation_cls: what `reset` returns where that is another class; `/schema` then tells of it.
        settings: any other field of `openenv.sessions.settings.Settings`, over its environment variable.

    Raises:
        UsageError: the environment, its models or a setting cannot work; the message says what to change.
        FactoryError: `env` is a factory without a return annotation, was called to see its class, and failed.
    """

    def __init__(
        self,
        env: Any,
        action_cls: type[Any] | None = None,
        observation_cls: type[Any] | None = None,
        max_concurrent_envs: int | None = None,
        concurrency_config: ConcurrencyConfig | None = None,
        env_name: str | None = None,
        state_cls: type[Any] | None = None,
        *,
        reset_observation_cls: type[Any] | None = None,
        **settings: Any,
    ) -> None:
        if concurrency_config is not None:
            if max_concurrent_envs is not None:
                raise UsageError("give max_concurrent_envs or concurrency_config, not both")
            max_concurrent_envs = concurrency_config.max_concurrent_envs
            settings.setdefault("idle_timeout_s", concurrency_config.session_timeout)
        spec = environment_spec(env, action_cls, observation_cls, state_cls, name=env_name)
        self.registry = Registry(spec, Settings.from_environment(max_concurrent_envs=max_concurrent_envs, **settings))
        self._reset_observation = reset_observation_cls

    @property
    def active_sessions(self) -> int:
        """How many sessions have an environment."""
        return self.registry.slots_taken

    @property
    def max_concurrent_envs(self) -> int:
        """How many sessions may have one at once."""
        return self.registry.capacity

    @property
    def is_concurrency_safe(self) -> bool:
        """Whether several instances of the environment may live in one process."""
        return self.registry.spec.concurrent

    @property
    def concurrency_config(self) -> ConcurrencyConfig:
        """How many sessions there may be, and how long each may lie unused."""
        idle_s = self.registry.settings.idle_timeout_s
        return ConcurrencyConfig(max_concurrent_envs=self.max_concurrent_envs, session_timeout=idle_s or None)

    def get_capacity_status(self) -> ServerCapacityStatus:
        """Return how full the server is."""
        return ServerCapacityStatus.from_counts(self.active_sessions, self.max_concurrent_envs)

    def get_session_info(self, session_id: str) -> SessionInfo | None:
        """Return what is known of a session; None where there is none of that id in this process."""
        if not self.registry.has(session_id):
            return None
        session = self.registry.get(session_id)
        return SessionInfo(
            session_id=session_id,
            created_at=session.created_at,
            last_activity_at=max(session.created_at, time.time() - session.unused_s),
            step_count=session.steps,
            environment_type=self.registry.spec.cls.__name__,
        )

    def register_routes(self, app: FastAPI, mode: ServerMode | str | None = None) -> None:
        """Add the routes to an application, and the beginning and end of the sessions to its lifespan.

        Args:
            app: the application.
            mode: `"simulation"`, or `"production"`: tools for agents and nothing else. None leaves the setting.

        Raises:
            UsageError: there is no such mode.
        """
        if mode is not None and mode != self.registry.settings.mode:
            self.registry = Registry(self.registry.spec, replace(self.registry.settings, mode=str(mode)))
        add_http_routes(app, self.registry, self._reset_observation)
        add_mcp_routes(app, self.registry)
        add_task_routes(app, self.registry)
        add_metrics_route(app, self.registry)
        app.router.routes.append(WebSocketRoute("/ws", SocketEndpoint(self.registry)))
        app.state.registry = self.registry
        around = app.router.lifespan_context

        @asynccontextmanager
        async def lifespan(inner: Any) -> AsyncIterator[Any]:
            async with around(inner) as state:
                self.registry.prepare()
                yield state
                await self.registry.close()

        app.router.lifespan_context = lifespan

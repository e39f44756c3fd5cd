"""Puts a server together."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from typing import Any

from fastapi import FastAPI

from ..errors import MissingExtra
from ..sessions.capacity import ConcurrencyConfig
from ..version import __version__
from .env_server import HTTPEnvServer

logger = logging.getLogger("openenv.server")


def create_app(
    env: Any,
    action_cls: type[Any] | None = None,
    observation_cls: type[Any] | None = None,
    env_name: str | None = None,
    max_concurrent_envs: int | None = None,
    concurrency_config: ConcurrencyConfig | None = None,
    gradio_builder: Callable[..., Any] | None = None,
    custom_tab_name: str = "Custom",
    custom_tab_primary: bool = False,
    show_default_tab: bool = True,
    title_override: str | None = None,
    state_cls: type[Any] | None = None,
    mode: str | None = None,
    *,
    reset_observation_cls: type[Any] | None = None,
    **settings: Any,
) -> FastAPI:
    """Return the web application that serves an environment.

    Args:
        env: an `Environment` class, a factory of them, or one instance (which then serves one session at a time).
        action_cls, observation_cls, state_cls: the models; None takes them from the class's `Environment[…]`.
        env_name: what the server calls itself; None takes the class's name.
        max_concurrent_envs: sessions at once; None means 256 where the environment declares
            `SUPPORTS_CONCURRENT_SESSIONS`, else 1; with `isolation="process"` 64 for every environment.
        concurrency_config: the same, with the time after which an unused session ends; instead of `max_concurrent_envs`.
        gradio_builder: makes a Gradio page of the environment's own, called with the arguments of `build_gradio_app`. The
            playground, at `/web`, is there where `ENABLE_WEB_INTERFACE` is `true`, `1` or `yes` and Gradio is installed.
        custom_tab_name, custom_tab_primary: what the tab of that page is called, and whether it comes first.
        show_default_tab: False shows that page alone.
        title_override: the title of the application and of its playground; None takes the environment's name.
        reset_observation_cls: what `reset` returns where that is another class; `/schema` then tells of it.
        mode: `"simulation"`, or `"production"`: tools for agents and nothing else. None takes `OPENENV_MODE`.
        settings: any other field of `openenv.sessions.settings.Settings`, over its environment variable.

    Raises:
        UsageError: the environment, its models or a setting cannot work; the message says what to change.
        FactoryError: `env` is a factory without a return annotation, was called to see its class, and failed.
    """
    server = HTTPEnvServer(
        env,
        action_cls,
        observation_cls,
        max_concurrent_envs,
        concurrency_config,
        env_name,
        state_cls,
        reset_observation_cls=reset_observation_cls,
        mode=mode,
        **settings,
    )
    app = _app_of(server, title_override)
    if os.environ.get("ENABLE_WEB_INTERFACE", "").strip().lower() in ("true", "1", "yes"):
        from .web_routes import Tabs, add_web_routes

        try:
            tabs = Tabs(gradio_builder, custom_tab_name, custom_tab_primary, show_default_tab, title_override)
            add_web_routes(app, server.registry, tabs)
        except MissingExtra as error:
            logger.warning("ENABLE_WEB_INTERFACE is set, and there is no playground: %s", error)
    return app


def create_web_interface_app(
    env: Any,
    action_cls: type[Any] | None = None,
    observation_cls: type[Any] | None = None,
    env_name: str | None = None,
    max_concurrent_envs: int | None = None,
    concurrency_config: ConcurrencyConfig | None = None,
    gradio_builder: Callable[..., Any] | None = None,
    custom_tab_name: str = "Custom",
    custom_tab_primary: bool = False,
    show_default_tab: bool = True,
    title_override: str | None = None,
    state_cls: type[Any] | None = None,
    *,
    mode: str | None = None,
    reset_observation_cls: type[Any] | None = None,
    **settings: Any,
) -> FastAPI:
    """As `create_app`, with the playground whatever `ENABLE_WEB_INTERFACE` says; in production mode without it.

    Raises:
        MissingExtra: Gradio is not installed.
    """
    from .web_routes import Tabs, add_web_routes

    server = HTTPEnvServer(
        env,
        action_cls,
        observation_cls,
        max_concurrent_envs,
        concurrency_config,
        env_name,
        state_cls,
        reset_observation_cls=reset_observation_cls,
        mode=mode,
        **settings,
    )
    app = _app_of(server, title_override)
    tabs = Tabs(gradio_builder, custom_tab_name, custom_tab_primary, show_default_tab, title_override)
    add_web_routes(app, server.registry, tabs)
    return app


def _app_of(server: HTTPEnvServer, title: str | None) -> FastAPI:
    spec = server.registry.spec
    app = FastAPI(title=title or spec.name, description=spec.metadata().description, version=__version__)
    server.register_routes(app)
    return app


def create_fastapi_app(
    env: Any,
    action_cls: type[Any] | None = None,
    observation_cls: type[Any] | None = None,
    max_concurrent_envs: int | None = None,
    concurrency_config: ConcurrencyConfig | None = None,
    env_name: str | None = None,
    state_cls: type[Any] | None = None,
    mode: str | None = None,
    **settings: Any,
) -> FastAPI:
    """As `create_app`, with the order of arguments that this name has always had."""
    return create_app(
        env,
        action_cls,
        observation_cls,
        env_name,
        max_concurrent_envs,
        concurrency_config,
        state_cls=state_cls,
        mode=mode,
        **settings,
    )

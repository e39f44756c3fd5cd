"""Puts a server together."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from fastapi import FastAPI

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
        gradio_builder, custom_tab_name, custom_tab_primary, show_default_tab: taken from environments that bring a Gradio
            page of their own; this server shows none, and says so in its log.
        title_override: the application's title; None takes the environment's name.
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
    spec = server.registry.spec
    if gradio_builder is not None:
        logger.warning("%s brings a Gradio page (gradio_builder), which this server does not show", spec.name)
    app = FastAPI(title=title_override or spec.name, description=spec.metadata().description, version=__version__)
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

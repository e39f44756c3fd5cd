"""Clients of Spaces of the Hub."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

from ..errors import UsageError
from ..launch.provider import ContainerProvider, RuntimeProvider

if TYPE_CHECKING:
    from .base import EnvClient

ClientT = TypeVar("ClientT", bound="EnvClient[Any, Any, Any]")

PLACES = ("space", "docker", "uv")


def client_of_space(
    cls: type[ClientT],
    repo_id: str,
    where: str,
    provider: ContainerProvider | RuntimeProvider | None,
    token: str | None,
    options: dict[str, Any],
) -> ClientT:
    """Return the client; the arguments are those of `EnvClient.from_env`, which says what is raised."""
    if where not in PLACES:
        raise UsageError(f"where={where!r}: choose from {', '.join(PLACES)}")
    if where == "docker" and not isinstance(provider, RuntimeProvider):
        return _in_container(cls, repo_id, provider, token, options)
    if isinstance(provider, ContainerProvider):
        raise UsageError(f"where={where!r} runs no container: leave the provider out, or choose where='docker'")
    client = _client(cls, repo_id, where, provider, token, options)
    if asyncio._get_running_loop() is None:
        client._connection.start_provider()
    return client


def _in_container(
    cls: type[ClientT], repo_id: str, provider: ContainerProvider | None, token: str | None, options: dict[str, Any]
) -> ClientT:
    from ..hub.spaces import Hub, space_image

    if token is None:
        return cls.from_docker_image(space_image(repo_id), provider, **options)
    hub = Hub(token)
    space = hub.space(repo_id)
    if space.is_private:
        options = {"registry_login": hub.credentials(), **options}
    return cls.from_docker_image(space.image, provider, **options)


def _client(
    cls: type[ClientT],
    repo_id: str,
    where: str,
    provider: RuntimeProvider | None,
    token: str | None,
    options: dict[str, Any],
) -> ClientT:
    if provider is not None:
        return cls(provider=provider, **options)
    from ..hub.running import ClonedSpace, RunningSpace

    if where == "space":
        return cls(provider=RunningSpace(repo_id, token), **options)
    return cls(provider=ClonedSpace(repo_id, token, **options))

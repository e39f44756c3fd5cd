"""Clients and actions of environments by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import UsageError
from ..hub.installed import installed_environment, installed_environments, plain_name
from ..hub.spaces import space_image
from ..launch.provider import ContainerProvider
from .base import EnvClient
from .discovery import EnvironmentInfo, get_discovery
from .generic import GenericAction, GenericEnvClient


def _info(name: str) -> EnvironmentInfo:
    return EnvironmentInfo(installed_environment(name))


class AutoEnv:
    """Makes the client of an environment that is named rather than imported; it has no instances."""

    def __init__(self) -> None:
        raise TypeError("AutoEnv has no instances: AutoEnv.from_env('echo')")

    @classmethod
    def from_env(
        cls,
        name: str,
        base_url: str | None = None,
        docker_image: str | None = None,
        container_provider: ContainerProvider | None = None,
        wait_timeout: float = 30.0,
        env_vars: Mapping[str, str] | None = None,
        trust_remote_code: bool = False,
        skip_install: bool = False,
        **kwargs: Any,
    ) -> EnvClient[Any, Any, Any]:
        """Return the client of an installed environment, with a server to play at.

        The server is the one at `base_url`; else a container, where an image or a provider of containers is named; else the one
        that the Hub runs, where the name is a Space's; else a process of this machine, which ends with the client (the
        published package starts a container there, too). Nothing is ever installed: a name that is not installed here is an
        error that says what to install. A Space that no installed environment has the name of gets a client of plain dicts.

        Args:
            name: `echo`, also as `echo-env`, `echo_env`, `openenv-echo-env`, in any case; or of a Space, `openenv/echo_env`.
            base_url: of a server that runs.
            docker_image: the image to start; None with a `container_provider` takes `<name>-env:latest`, or the Space's.
            container_provider: runs the image.
            wait_timeout: seconds until a started server must answer.
            env_vars: environment variables of a started server.
            trust_remote_code: taken for the sake of older calls; no code is fetched that it could allow.
            skip_install: return a client of plain dicts, which needs no package of the environment's: for a server that runs,
                or an image.
            kwargs: as for `EnvClient` or its `from_docker_image`, `from_env` or `from_process`.

        Raises:
            UsageError: no such environment is installed, its package cannot be imported, or there is nothing to connect to.
            LaunchError: the server did not come up.
        """
        of_hub = "/" in name
        known = get_discovery().get_environment_by_name(name) if of_hub and not skip_install else None
        if skip_install or (of_hub and known is None):
            client: type[EnvClient[Any, Any, Any]] = GenericEnvClient
        else:
            client = (known or _info(name)).client_class
        if base_url is not None:
            return client(base_url, **kwargs)
        if of_hub and docker_image is None and container_provider is None:
            return client.from_env(name, where="space", **kwargs)
        if docker_image is None and container_provider is None:
            if skip_install:
                raise UsageError("skip_install=True gives a client alone: name the server too, by base_url or docker_image")
            return client.from_process(env_vars=env_vars, startup_timeout_s=wait_timeout, **kwargs)
        image = docker_image or (space_image(name) if of_hub else f"{plain_name(name)}-env:latest")
        return client.from_docker_image(image, container_provider, env_vars=env_vars, startup_timeout_s=wait_timeout, **kwargs)

    @classmethod
    def from_hub(
        cls,
        name: str,
        base_url: str | None = None,
        docker_image: str | None = None,
        container_provider: ContainerProvider | None = None,
        wait_timeout: float = 30.0,
        env_vars: Mapping[str, str] | None = None,
        trust_remote_code: bool = False,
        skip_install: bool = False,
        **kwargs: Any,
    ) -> EnvClient[Any, Any, Any]:
        """As `from_env`, under another name."""
        return cls.from_env(
            name,
            base_url,
            docker_image,
            container_provider,
            wait_timeout,
            env_vars,
            trust_remote_code,
            skip_install,
            **kwargs,
        )

    @classmethod
    def get_env_class(cls, name: str) -> type[EnvClient[Any, Any, Any]]:
        """Return the client class of an installed environment. Raises `UsageError` as `from_env` does."""
        return _info(name).client_class

    @classmethod
    def get_env_info(cls, name: str) -> dict[str, Any]:
        """Return what is known of an installed environment, as `EnvironmentInfo.described`."""
        return _info(name).described()

    @classmethod
    def list_environments(cls) -> None:
        """Print the installed environments."""
        get_discovery().list_environments()


class AutoAction:
    """Finds the action class of an environment that is named rather than imported; it has no instances."""

    def __init__(self) -> None:
        raise TypeError("AutoAction has no instances: AutoAction.from_env('echo')")

    @classmethod
    def from_env(cls, name: str, skip_install: bool = False) -> type:
        """Return the action class of an installed environment.

        Args:
            name: as for `AutoEnv.from_env`.
            skip_install: return `GenericAction`, which takes any fields and needs no package of the environment's.

        Raises:
            UsageError: no such environment is installed, its package cannot be imported, or its client names no action class.
        """
        if skip_install:
            return GenericAction
        info = _info(name)
        action = info.action_class
        if action is None:
            raise UsageError(f"{info.client_class.__name__} does not say its action class")
        return action

    @classmethod
    def from_hub(cls, env_name: str, skip_install: bool = False) -> type:
        """As `from_env`, under another name."""
        return cls.from_env(env_name, skip_install)

    @classmethod
    def get_action_info(cls, name: str) -> dict[str, Any]:
        """Return what `AutoEnv.get_env_info` does, and the action's JSON schema as `schema`; None where it has none."""
        info = _info(name)
        schema = getattr(info.action_class, "model_json_schema", None)
        return {**info.described(), "schema": None if schema is None else schema()}

    @classmethod
    def list_actions(cls) -> None:
        """Print each installed environment's action class, or why it cannot be had."""
        for one in installed_environments():
            try:
                told = getattr(EnvironmentInfo(one).action_class, "__name__", "not said")
            except UsageError as error:
                told = str(error)
            print(f"{one.name}: {told}")

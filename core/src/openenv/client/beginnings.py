"""Where a client's server comes from."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Self

from pydantic import BaseModel

from ..errors import UsageError
from ..launch.provider import Container, ContainerProvider, RuntimeProvider
from .connection import Connection
from .transport import Endpoint


class Beginnings:
    """Makes clients together with what they play at: this process, another, a container, a Space."""

    server: ClassVar[str | None] = None
    """Where the app of this client's environment is, `echo_env.server.app:app`; imported only by what runs it."""

    _connection: Connection

    @classmethod
    def local(cls, app: str | None = None, *, message_timeout_s: float = 60.0) -> Self:
        """Return a client whose environment runs in this process, in threads of its own, behind the same messages.

        Args:
            app: `module:attribute` of the server's app; None takes the class's `server`.
        """
        name = cls._server_name(app)

        def endpoint(_: str | None) -> Endpoint:
            from .local import app_endpoint

            return app_endpoint(name)

        return cls._on(Connection(endpoint), message_timeout_s)

    @classmethod
    def from_environment(cls, env: Any, *, message_timeout_s: float = 60.0) -> Self:
        """Return a client of an environment class, factory or instance of this process, with no server to name."""
        from .local import environment_endpoint

        action, observation, state = cls._models()
        endpoint = environment_endpoint(env, _not_dict(action), _not_dict(observation), _not_dict(state))
        return cls._on(Connection(lambda _: endpoint), message_timeout_s)

    @classmethod
    def from_process(
        cls,
        app: str | None = None,
        *,
        env_vars: Mapping[str, str] | None = None,
        port: int = 0,
        startup_timeout_s: float = 60.0,
        **options: Any,
    ) -> Self:
        """Start the environment's server as a process of this machine and return a client of it.

        Where no event loop runs, the server is up when this returns; inside one it starts with the first awaited call.
        It ends with `close()`, and with this process however that ends.

        Args:
            app: `module:attribute` of the server's app; None takes the class's `server`.
            env_vars: environment variables of the process, over this one's.
            port: 0 takes a free one.
            startup_timeout_s: seconds until it must answer.
            options: as for the constructor.

        Raises:
            LaunchError: it did not come up; the message carries its last lines of output.
        """
        from ..launch.process import ProcessProvider

        provider = ProcessProvider(cls._server_name(app), env_vars=env_vars, port=port, startup_timeout_s=startup_timeout_s)
        return cls._started(provider, options)

    @classmethod
    def from_docker_image(
        cls,
        image: str,
        provider: ContainerProvider | None = None,
        *,
        port: int | None = None,
        env_vars: Mapping[str, str] | None = None,
        startup_timeout_s: float = 60.0,
        **start_options: Any,
    ) -> Self:
        """Start a container and return a client of the server in it; it stops with `close()`.

        Where no event loop runs, the server is up when this returns; inside one it starts with the first awaited call, and
        `await EchoEnv.from_docker_image(…)` waits for that.

        Args:
            image: names the image, `echo-env:latest`.
            provider: runs containers; None takes `openenv.launch.docker.LocalDockerProvider`.
            port: of this machine; None takes a free one.
            env_vars: environment variables of the container.
            startup_timeout_s: seconds until it must answer.
            start_options: for the provider's `start_container`; here the fields of `openenv.launch.docker.DockerOptions`.

        Raises:
            LaunchError: it did not come up; the message carries the container's last lines of output.
        """
        if provider is None:
            from ..launch.docker import LocalDockerProvider

            provider = LocalDockerProvider()
        container = Container(provider, image, port, env_vars or {}, startup_timeout_s, start_options)
        return cls._started(container, {})

    @classmethod
    def from_env(
        cls,
        repo_id: str,
        *,
        use_docker: bool = True,
        provider: ContainerProvider | RuntimeProvider | None = None,
        where: str | None = None,
        token: str | None = None,
        **provider_kwargs: Any,
    ) -> Self:
        """Return a client of a Space of the Hugging Face Hub: of the one that runs there, or of its server started here.

        Where no event loop runs, the server is up when this returns; inside one it starts with the first awaited call.

        Args:
            repo_id: the Space, `openenv/echo_env`.
            use_docker: where `where` is None: True is `"docker"`, False is `"uv"`.
            provider: what runs the Space's image, or a provider that is used as it is.
            where: `"space"` plays at the server that the Hub runs; `"docker"` starts the Space's image here; `"uv"` fetches the
                Space's files and runs them here by uv, with this user's rights.
            token: for a private Space; None takes `HF_TOKEN` or the stored login. It goes to the Hub, and where the Space is
                private, with `"space"` to the Space and with `"docker"` to the Hub's registry, and nowhere else. With
                `"docker"`, None asks nothing of the Hub: what `docker login registry.hf.space` has stored counts.
            provider_kwargs: with `"space"` as for the constructor, with `"docker"` as for `from_docker_image`, with `"uv"` as
                for `openenv.launch.uv.UVProvider`.

        Raises:
            UsageError: `where` is none of these, no provider of containers is named, or one is that cannot be used so.
            MissingExtra: huggingface_hub is not installed, and it is needed.
            LaunchError: there is no such Space that the token may see, it does not run, or its server did not come up.
        """
        from .of_space import client_of_space

        client: Any = cls
        made: Self = client_of_space(
            client, repo_id, where or ("docker" if use_docker else "uv"), provider, token, provider_kwargs
        )
        return made

    @classmethod
    def _started(cls, provider: RuntimeProvider, options: dict[str, Any]) -> Self:
        client = cls._of(provider, options)
        if asyncio._get_running_loop() is None:
            client._connection.start_provider()
        return client

    @classmethod
    def _server_name(cls, app: str | None) -> str:
        name = app or cls.server
        if name is None:
            raise UsageError(f'{cls.__name__} names no server: give one, "my_env.server.app:app", or set its `server`')
        return name

    @classmethod
    @abstractmethod
    def _on(cls, connection: Connection, message_timeout_s: float) -> Self:
        """Return a client on a connection."""

    @classmethod
    @abstractmethod
    def _of(cls, provider: RuntimeProvider, options: dict[str, Any]) -> Self:
        """Return a client of what a provider starts."""

    @classmethod
    @abstractmethod
    def _models(cls) -> tuple[type | None, ...]:
        """Return the models that the class says are its own: action, observation, state."""


def _not_dict(model: type | None) -> type | None:
    return model if isinstance(model, type) and issubclass(model, BaseModel) else None

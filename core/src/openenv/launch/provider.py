"""What starts a server for a client."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self

from ..errors import LaunchError
from . import kinds


class _Pattern(ABC):
    """Remembers what it was made with, so that another can be made alike."""

    _made_with: tuple[tuple[Any, ...], dict[str, Any]]

    if not TYPE_CHECKING:

        def __new__(cls, *arguments: Any, **options: Any) -> Self:
            made = super().__new__(cls)
            made._made_with = (arguments, options)
            return made

    def another(self) -> Self:
        """Return a fresh provider of the same settings, which has started nothing: one serves as the pattern for many.

        By default it is made with the arguments that this one was made with; a subclass overrides it where one of those
        cannot be shared.
        """
        arguments, options = self._made_with
        return type(self)(*arguments, **options)


class RuntimeProvider(_Pattern):
    """Starts one server and stops it."""

    @abstractmethod
    def start(self, port: int | None = None, env_vars: dict[str, str] | None = None, **options: Any) -> str:
        """Start the server and return its base URL; it need not answer yet.

        Args:
            port: the port to use; None takes a free one.
            env_vars: environment variables for it.

        Raises:
            LaunchError: it could not be started.
        """

    @abstractmethod
    def stop(self) -> None:
        """Stop the server and free all it used. Twice does no harm.

        May be called from another thread while `start` or `wait_for_ready` runs, which then should soon raise or return.
        """

    @abstractmethod
    def wait_for_ready(self, timeout_s: float = 30.0) -> None:
        """Return once the server answers. Raises `LaunchError` where it does not in time."""

    def is_running(self) -> bool | None:
        """Return whether the server that was started has not ended, without waiting; None where this cannot be told.

        By default it cannot. True says nothing of whether the server answers.
        """
        return None

    @property
    def headers(self) -> Mapping[str, str]:
        """What every request to the started server has to carry; by default nothing."""
        return {}


class ContainerProvider(_Pattern):
    """Runs one container at a time."""

    @abstractmethod
    def start_container(
        self, image: str, port: int | None = None, env_vars: dict[str, str] | None = None, **options: Any
    ) -> str:
        """Start a container and return the base URL of the server in it; it need not answer yet.

        Args:
            image: names the image.
            port: of this machine; None takes a free one.
            env_vars: environment variables for it.
            options: what this provider lets a caller choose.

        Raises:
            LaunchError: it could not be started.
        """

    @abstractmethod
    def stop_container(self) -> None:
        """Stop the container and free all it used. Twice does no harm."""

    @abstractmethod
    def wait_for_ready(self, base_url: str, timeout_s: float = 30.0) -> None:
        """Return once the server answers. Raises where it does not in time."""

    def is_running(self) -> bool | None:
        """See `RuntimeProvider.is_running`."""
        return None

    def close(self) -> None:
        """Let go of what the provider itself holds; by default its container."""
        self.stop_container()


@dataclass
class Container(RuntimeProvider):
    """One container as a `RuntimeProvider`: it starts when first needed.

    Attributes:
        provider: runs it, and is closed with it.
        image, port, env_vars, start_options: what `ContainerProvider.start_container` is given.
        startup_timeout_s: seconds until the server must answer.

    Raises:
        LaunchError: `env_vars` or `startup_timeout_s` cannot be.
    """

    provider: ContainerProvider
    image: str
    port: int | None = None
    env_vars: Mapping[str, str] = field(default_factory=dict)
    startup_timeout_s: float = 60.0
    start_options: dict[str, Any] = field(default_factory=dict)
    _url: str | None = None

    def __post_init__(self) -> None:
        self.env_vars = kinds.read_variables(self.env_vars)
        self.startup_timeout_s = kinds.read("startup_timeout_s", self.startup_timeout_s, kinds.PATIENCE)

    def start(self, port: int | None = None, env_vars: dict[str, str] | None = None, **options: Any) -> str:
        """See `RuntimeProvider.start`."""
        given = {**self.env_vars, **kinds.read_variables(env_vars)} or None
        chosen = self.port if port is None else port
        self._url = self.provider.start_container(self.image, port=chosen, env_vars=given, **{**self.start_options, **options})
        return self._url

    def wait_for_ready(self, timeout_s: float | None = None) -> None:
        """See `RuntimeProvider.wait_for_ready`."""
        if self._url is None:
            raise LaunchError(f"{self.image} has not been started")
        self.provider.wait_for_ready(self._url, self.startup_timeout_s if timeout_s is None else timeout_s)

    def stop(self) -> None:
        """See `RuntimeProvider.stop`."""
        self._url = None
        self.provider.close()

    def is_running(self) -> bool | None:
        """See `RuntimeProvider.is_running`."""
        return self.provider.is_running() if self._url is not None else False

    def another(self) -> Self:
        """See `RuntimeProvider.another`; its container is run by a fresh provider too."""
        return replace(self, provider=self.provider.another(), _url=None)

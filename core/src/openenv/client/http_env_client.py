"""The older client: synchronous, over HTTP."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Generic, Self

from typing_extensions import TypeVar

from ..contract.models import State
from ..contract.result import StepResult
from ..launch.provider import Container, ContainerProvider, RuntimeProvider
from ..wire import messages
from .address import address
from .connection import Connection
from .http import HttpEndpoint
from .transport import Call, Options, seconds

ActT = TypeVar("ActT")
ObsT = TypeVar("ObsT")
StateT = TypeVar("StateT", default=State)


class HTTPEnvClient(ABC, Generic[ActT, ObsT, StateT]):
    """Plays an environment over HTTP, with calls that always block; subclass it and write the three hooks.

    Kept for clients that were written so; a new one inherits `EnvClient`, which needs no hooks.

    Args:
        base_url: `http://host:port` of a server.
        request_timeout_s: seconds that a call may take. Default 15.
        default_headers: further HTTP headers.
        provider: stopped on `close()`.

    Raises:
        UsageError: an address that cannot be read.
    """

    def __init__(
        self,
        base_url: str,
        request_timeout_s: float = 15.0,
        default_headers: Mapping[str, str] | None = None,
        provider: ContainerProvider | RuntimeProvider | None = None,
    ) -> None:
        url = address(base_url).http
        options = Options(headers=dict(default_headers or {}))
        self.base_url = base_url
        self._timeout_s = seconds(request_timeout_s)
        self._provider = provider
        self._connection = Connection(lambda _: HttpEndpoint(url, options, sessions_required=False))

    @classmethod
    def from_docker_image(cls, image: str, provider: ContainerProvider | None = None, **start_options: Any) -> Self:
        """Start a container and return a client of the server in it once that answers; it stops with `close()`.

        Args:
            image: names the image.
            provider: runs containers; None takes `openenv.launch.docker.LocalDockerProvider`.
            start_options: `port`, `env_vars` and what else the provider's `start_container` takes.

        Raises:
            LaunchError: it did not come up.
        """
        if provider is None:
            from ..launch.docker import LocalDockerProvider

            provider = LocalDockerProvider()
        port, env_vars = start_options.pop("port", None), dict(start_options.pop("env_vars", None) or {})
        container = Container(provider, image, port, env_vars, 60.0, start_options)
        url = container.start()
        try:
            container.wait_for_ready()
        except BaseException:
            container.stop()
            raise
        return cls(base_url=url, provider=container)

    @abstractmethod
    def _step_payload(self, action: ActT) -> dict[str, Any]:
        """Return an action as the plain data to send."""

    @abstractmethod
    def _parse_result(self, payload: dict[str, Any]) -> StepResult[ObsT]:
        """Return the result that a reply stands for: a dict of `observation`, `reward` and `done`."""

    @abstractmethod
    def _parse_state(self, payload: dict[str, Any]) -> StateT:
        """Return the state that a reply stands for."""

    def reset(self, **options: Any) -> StepResult[ObsT]:
        """Start an episode; see `EnvClient.reset`."""
        return self._parse_result(self._request(messages.RESET, options or None))

    def step(self, action: ActT) -> StepResult[ObsT]:
        """Do one action; see `EnvClient.step`."""
        return self._parse_result(self._request(messages.STEP, self._step_payload(action)))

    def state(self) -> StateT:
        """Return where the episode stands."""
        return self._parse_state(self._request(messages.STATE, None))

    def close(self) -> None:
        """End the session, disconnect, and stop what `from_docker_image` or a provider started."""
        self._connection.close()
        provider, self._provider = self._provider, None
        if isinstance(provider, RuntimeProvider):
            provider.stop()
        elif provider is not None:
            provider.close()

    def _request(self, kind: str, payload: Any) -> dict[str, Any]:
        return self._connection.request(Call(kind, payload, self._timeout_s))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

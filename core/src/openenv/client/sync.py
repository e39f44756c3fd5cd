"""The client typed for blocking use."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Generic, Self

from typing_extensions import TypeVar

from ..contract.models import State
from ..contract.result import StepResult
from ..wire import messages
from .base import EnvClient
from .lanes import SyncLanes

ActT = TypeVar("ActT")
ObsT = TypeVar("ObsT")
StateT = TypeVar("StateT", default=State)


class SyncEnvClient(Generic[ActT, ObsT, StateT]):
    """Makes the calls of an `EnvClient` and waits for their results, inside a running event loop too.

    May be used from any thread; calls then take turns.
    """

    def __init__(self, async_client: EnvClient[ActT, ObsT, StateT]) -> None:
        self._client = async_client

    @property
    def async_client(self) -> EnvClient[ActT, ObsT, StateT]:
        """The client whose session this is."""
        return self._client

    def connect(self) -> Self:
        """See `EnvClient.connect`."""
        self._client._connection.open()
        return self

    def reset(self, *, timeout_s: float | None = None, **options: Any) -> StepResult[ObsT]:
        """See `EnvClient.reset`."""
        client = self._client
        return client._do_blocking(client._call(messages.RESET, options or None, timeout_s), client._parse_result)

    def step(self, action: ActT, *, timeout_s: float | None = None) -> StepResult[ObsT]:
        """See `EnvClient.step`."""
        client = self._client
        return client._do_blocking(client._call(messages.STEP, client._payload(action), timeout_s), client._parse_result)

    def state(self, *, timeout_s: float | None = None) -> StateT:
        """See `EnvClient.state`."""
        client = self._client
        return client._do_blocking(client._call(messages.STATE, None, timeout_s), client._parse_state)

    def render(self, *, timeout_s: float | None = None) -> dict[str, str]:
        """See `EnvClient.render`."""
        client = self._client
        return client._do_blocking(client._call(messages.RENDER, None, timeout_s), dict)

    def lanes(self, count: int, autoreset: str = "disabled") -> SyncLanes[ActT, ObsT, StateT]:
        """See `EnvClient.lanes`."""
        return SyncLanes(self._client, count, autoreset)

    def disconnect(self) -> None:
        """See `EnvClient.disconnect`."""
        self._client._connection.disconnect()

    def close(self) -> None:
        """See `EnvClient.close`."""
        self._client._connection.close()

    def __enter__(self) -> Self:
        return self.connect()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

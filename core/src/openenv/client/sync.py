"""The client typed for blocking use."""

from __future__ import annotations

import copy
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, Self

from typing_extensions import TypeVar

from ..contract.models import State
from ..contract.result import StepResult
from ..wire import messages
from .base import EnvClient
from .lanes import SyncLanes
from .tasks import BlockingTaskCalls
from .transport import Call

ActT = TypeVar("ActT")
ObsT = TypeVar("ObsT")
StateT = TypeVar("StateT", default=State)
T = TypeVar("T")


class SyncEnvClient(BlockingTaskCalls, Generic[ActT, ObsT, StateT]):
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

    def new_session(self) -> SyncEnvClient[ActT, ObsT, StateT]:
        """See `EnvClient.new_session`."""
        other = copy.copy(self._client)
        other._connection = self._client._connection.another()
        return SyncEnvClient(other).connect()

    def disconnect(self) -> None:
        """See `EnvClient.disconnect`."""
        self._client._connection.disconnect()

    def close(self) -> None:
        """See `EnvClient.close`."""
        self._client._connection.close()

    def _step_payload(self, action: ActT) -> dict[str, Any]:
        return self._client._step_payload(action)

    def _parse_result(self, payload: dict[str, Any]) -> StepResult[ObsT]:
        return self._client._parse_result(payload)

    def _parse_state(self, payload: dict[str, Any]) -> StateT:
        return self._client._parse_state(payload)

    def _ask(self, call: str, arguments: dict[str, Any], timeout_s: float | None, parse: Callable[[dict[str, Any]], T]) -> T:
        client = self._client
        request: Call = client._call(messages.TASKS, {"call": call, **arguments}, timeout_s)
        return client._do_blocking(request, parse)

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            """What a client class has beyond the calls of every client."""
            if name == "_client":
                raise AttributeError(name)
            return getattr(self._client, name)

    def __enter__(self) -> Self:
        return self.connect()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

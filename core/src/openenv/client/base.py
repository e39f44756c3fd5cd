"""The client that environments' packages subclass."""

from __future__ import annotations

import asyncio
import copy
import dataclasses
from collections.abc import Awaitable, Callable, Generator, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, Self, cast

from typing_extensions import TypeVar

from ..contract.generics import models
from ..contract.models import State
from ..contract.result import StepResult
from ..errors import NotSupportedError, UsageError
from ..launch.provider import RuntimeProvider
from ..wire import messages
from .address import address
from .beginnings import Beginnings
from .connection import Connection
from .endpoints import ENDPOINTS
from .mode import client_mode
from .pending import PendingCall, not_to_await
from .tasks import TaskCalls
from .translation import Translation
from .transport import Call, Endpoint, Options, seconds

if TYPE_CHECKING:
    from .lanes import Lanes
    from .sync import SyncEnvClient

ActT = TypeVar("ActT")
ObsT = TypeVar("ObsT")
StateT = TypeVar("StateT", default=State)
T = TypeVar("T")


class EnvClient(Beginnings, TaskCalls, Translation[ActT, ObsT, StateT], Generic[ActT, ObsT, StateT]):
    """Plays one session of an environment; subclass as `EnvClient[MyAction, MyObservation, MyState]`, body empty.

    Inside a running event loop its calls are awaited. Where no loop runs they block and return their results, and a
    connection opened so goes on blocking inside loops too. `sync()` is the same client typed for blocking use.

    Args:
        base_url: `http://host:port` of a server; `ws://` works too.
        connect_timeout_s: seconds for the connection to be made. Default 10.
        message_timeout_s: seconds to wait for a reply where a call names no `timeout_s`. Default 60.
        max_message_size_mb: largest reply taken, in MiB. Default 100.
        websocket_ping_interval_s: seconds between pings of an idle socket; None sends none. Default 20.
        websocket_ping_timeout_s: seconds after which an unanswered ping ends the socket; None waits. Default 20.
        provider: starts the server when it is first needed, and stops it on `close()`.
        mode: `"simulation"` (the default) or `"production"`, for a server that offers tools alone; None takes the environment
            variable `OPENENV_CLIENT_MODE`.
        headers: further HTTP headers.
        transport: `"websocket"` or `"http"`.

    Raises:
        UsageError: no address, one that cannot be read, or an unknown transport or mode.
    """

    def __init__(
        self,
        base_url: str | None = None,
        connect_timeout_s: float = 10.0,
        message_timeout_s: float = 60.0,
        max_message_size_mb: float = 100.0,
        websocket_ping_interval_s: float | None = 20.0,
        websocket_ping_timeout_s: float | None = 20.0,
        provider: RuntimeProvider | None = None,
        mode: str | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        transport: str = "websocket",
    ) -> None:
        if base_url is None and provider is None:
            raise UsageError(f"{type(self).__name__} needs a base_url, such as http://localhost:8000")
        if transport not in ENDPOINTS:
            raise UsageError(f"unknown transport {transport!r}: choose from {', '.join(sorted(ENDPOINTS))}")
        self.mode = client_mode(mode)
        options = Options(
            connect_timeout_s,
            int(max_message_size_mb * 1024 * 1024),
            websocket_ping_interval_s,
            websocket_ping_timeout_s,
            dict(headers or {}),
        )
        if base_url is not None:
            address(base_url)
        self._base_url = base_url
        self._message_timeout_s = seconds(message_timeout_s)

        def endpoint(url: str | None) -> Endpoint:
            if provider is None or url is None:
                return ENDPOINTS[transport](base_url or "", options)
            wanted = {**options.headers, **provider.headers}
            return ENDPOINTS[transport](url, dataclasses.replace(options, headers=wanted))

        self._connection = Connection(endpoint, provider)
        self._prepare()

    @classmethod
    def _of(cls, provider: RuntimeProvider, options: dict[str, Any]) -> Self:
        return cls(provider=provider, **options)

    @classmethod
    def _models(cls) -> tuple[type | None, ...]:
        return models(cls, EnvClient)

    @classmethod
    def _on(cls, connection: Connection, message_timeout_s: float) -> Self:
        client = cls.__new__(cls)
        client._base_url = None
        client.mode = client_mode(None)
        client._message_timeout_s = seconds(message_timeout_s)
        client._connection = connection
        client._prepare()
        return client

    def new_session(self) -> Awaitable[Self]:
        """Return a connected client of another session at the same server; a server that this one started stays this one's."""
        other = copy.copy(self)
        other._connection = self._connection.another()
        return (
            other.connect()
            if not self._connection.is_blocking
            else cast("Awaitable[Self]", other.sync().connect().async_client)
        )

    @property
    def base_url(self) -> str | None:
        """Where the server is: as given, or as what started it says; None in process, and before it has been started."""
        return self._base_url or self._connection.url

    def reset(self, *, timeout_s: float | None = None, **options: Any) -> Awaitable[StepResult[ObsT]]:
        """Start an episode.

        Args:
            timeout_s: seconds to wait; None for the client's `message_timeout_s`.
            options: `seed`, `episode_id`, and what else the environment takes.

        Raises:
            StepTimeout: no reply in time.
            ExecutionError: the environment refused or failed.
            CapacityReached: every slot of the server stayed taken.
            ConnectError: no server answers.
        """
        return self._do("reset", self._call(messages.RESET, options or None, timeout_s), self._parse_result)

    def step(self, action: ActT, *, timeout_s: float | None = None) -> Awaitable[StepResult[ObsT]]:
        """Do one action.

        Args:
            action: an instance of the client's action class.
            timeout_s: seconds to wait; None for the client's `message_timeout_s`. After a timeout only `reset` works.

        Raises:
            InvalidActionError: the server cannot read the action; the episode goes on.
            ExecutionError: the environment refused the action or failed.
            StepTimeout: no reply in time.
            SessionLost: the connection ended, and the episode with it.
            SessionStuck: an earlier call timed out; `reset()` first.
        """
        return self._do("step", self._call(messages.STEP, self._payload(action), timeout_s), self._parse_result)

    def state(self, *, timeout_s: float | None = None) -> Awaitable[StateT]:
        """Return where the episode stands; raises as `step` does."""
        return self._do("state", self._call(messages.STATE, None, timeout_s), self._parse_state)

    def render(self, *, timeout_s: float | None = None) -> Awaitable[dict[str, str]]:
        """Return a picture of the state as a MIME bundle, `{"text/plain": …}`; raises as `step` does, and:

        Raises:
            NotSupportedError: the environment draws none, or the server or the transport knows no pictures.
        """
        return self._do("render", self._call(messages.RENDER, None, timeout_s), dict)

    def lanes(self, count: int, autoreset: str = "disabled") -> Lanes[ActT, ObsT, StateT]:
        """Return so many environments in one session of this client, which must not be connected yet.

        `async with EchoEnv(url).lanes(64) as envs: results = await envs.step(actions)`

        Args:
            count: how many; each takes one of the server's slots, all or none.
            autoreset: what follows an episode's end, with Gymnasium's meanings. `"disabled"`: a step is an error until `reset`.
                `"next_step"`: the next step does no action and starts the next episode, whose first observation it returns.
                `"same_step"`: the step that ends an episode returns the next one's first observation, with the reward and
                `done` of the ended one, and that one's last result as `final`. Episodes that begin so take the arguments
                of the lane's last reset, and seeds that its seed decides.

        Raises:
            UsageError: this client is connected already, or an argument is not one.
        """
        from .lanes import Lanes

        return Lanes(self, count, autoreset)

    def connect(self) -> Awaitable[Self]:
        """Connect now rather than with the first call, and return the client. Raises `ConnectError`."""
        if self._blocks():
            self._connection.open()
            return cast("Awaitable[Self]", self)
        return PendingCall("connect", self._connected)

    def close(self) -> Awaitable[None]:
        """End the session, disconnect, and stop what `from_process` or a provider started. Twice does no harm."""
        if self._blocks():
            return cast("Awaitable[None]", self._connection.close())
        return PendingCall("close", self._connection.close_async)

    def disconnect(self) -> Awaitable[None]:
        """End the session and disconnect, and leave a started server running."""
        if self._blocks():
            return cast("Awaitable[None]", self._connection.disconnect())
        return PendingCall("disconnect", self._connection.disconnect_async)

    def sync(self) -> SyncEnvClient[ActT, ObsT, StateT]:
        """Return this client typed for blocking use, which works inside a running loop too."""
        from .sync import SyncEnvClient

        return SyncEnvClient(self)

    def __enter__(self) -> Self:
        self._connection.open()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._connection.close()

    async def __aenter__(self) -> Self:
        return await self._connected()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._connection.close_async()

    def __await__(self) -> Generator[Any, Any, Self]:
        return self._connected().__await__()

    async def _connected(self) -> Self:
        await self._connection.open_async()
        return self

    def _blocks(self) -> bool:
        return self._connection.is_blocking or asyncio._get_running_loop() is None

    def _do(self, name: str, call: Call, parse: Callable[[dict[str, Any]], T]) -> Awaitable[T]:
        """Block and return the result, or return what gives it when awaited: see the class."""
        if asyncio._get_running_loop() is None:
            return cast("Awaitable[T]", parse(self._connection.request(call)))
        if self._connection.is_blocking:
            return cast("Awaitable[T]", not_to_await(parse(self._connection.request(call))))

        async def run() -> T:
            return parse(await self._connection.request_async(call))

        return PendingCall(name, run)

    def _do_blocking(self, call: Call, parse: Callable[[dict[str, Any]], T]) -> T:
        return parse(self._connection.request(call))

    def _ask(
        self, call: str, arguments: dict[str, Any], timeout_s: float | None, parse: Callable[[dict[str, Any]], T]
    ) -> Awaitable[T]:
        return self._do(call, self._call(messages.TASKS, {"call": call, **arguments}, timeout_s), parse)

    def _call(self, kind: str, payload: Any, timeout_s: float | None) -> Call:
        return Call(kind, payload, self._message_timeout_s if timeout_s is None else seconds(timeout_s))

    def _send_and_receive(self, message: Mapping[str, Any]) -> Awaitable[dict[str, Any]]:
        """Send a message of the protocol as it stands, `{"type": "step", "data": {…}}`, and return the reply likewise."""
        kind = str(message.get("type"))
        if kind not in messages.REPLY_TYPE:
            raise NotSupportedError(f"there is no message of type {kind!r}: {', '.join(sorted(messages.REPLY_TYPE))}")
        reply_type = messages.REPLY_TYPE[kind]
        return self._do(kind, self._call(kind, message.get("data"), None), lambda data: {"type": reply_type, "data": data})

"""Many servers of one environment, used as one."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Awaitable, Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, NoReturn, Self, TypeVar, cast

from ...client.base import EnvClient
from ...client.connection import Connection
from ...client.pending import PendingCall
from ...client.transport import Endpoint, seconds
from ...errors import LaunchError, UsageError
from ...launch.provider import RuntimeProvider
from .events import FleetEvent, Teller
from .interruption import is_interrupt
from .overseer import CLOSED, Overseer
from .seated import FleetEndpoint
from .server import Server
from .session_options import session_options
from .settings import Bounds, FleetSettings
from .status import FleetStatus

if TYPE_CHECKING:
    from ...client.lanes import Lanes
    from .sync import SyncFleet

ClientT = TypeVar("ClientT", bound=EnvClient[Any, Any, Any])


class Fleet(Generic[ClientT]):
    """Starts servers of an environment, watches them, replaces the dead, and gives sessions at the least loaded.

        async with Fleet(EchoEnv, servers=4) as fleet:
            async with fleet.session() as env:
                await env.reset()

    A session is an ordinary client. Its slot is taken when it connects and free again when it is closed. Where its server
    dies, its calls raise `SessionLost`, the episode is counted as lost, and the next `reset()` of the same client begins an
    episode on a living server. May be used from any number of tasks, event loops and threads of one process at once.

    Inside a running event loop its calls are awaited; where no loop runs they block. `sync()` is the same fleet typed for
    blocking use, inside a loop too.

    Args:
        client: the class of the sessions.
        provider: starts the servers: a provider as the pattern for all (each server gets `provider.another()`), or what
            returns a fresh one. None starts processes of the client's `server`.
        servers: how many; or say between which bounds.
        min_servers, max_servers: bounds between which the load decides. The least is 1 by default.
        sessions_per_server: slots to hand out of each server. None takes as many as the server says that it has.
        client_options: as for the client's constructor: `message_timeout_s`, `headers`, …
        on_event: called with each `FleetEvent` in the fleet's own thread: it must not wait for the fleet.
        settings: the fields of `FleetSettings`.

    Raises:
        UsageError: no number of servers, bounds that cannot be, a setting or an option of the client that there is not, or a
            client that names no server.
    """

    def __init__(
        self,
        client: type[ClientT],
        provider: RuntimeProvider | Callable[[], RuntimeProvider] | None = None,
        servers: int | None = None,
        *,
        min_servers: int | None = None,
        max_servers: int | None = None,
        sessions_per_server: int | None = None,
        client_options: Mapping[str, Any] | None = None,
        on_event: Callable[[FleetEvent], object] | None = None,
        **settings: Any,
    ) -> None:
        if sessions_per_server is not None and (type(sessions_per_server) is not int or sessions_per_server < 1):
            raise UsageError(f"sessions_per_server is a whole number above 0, not {sessions_per_server!r}")
        self._client = client
        self._make_provider = _maker(client, provider)
        self._bounds = Bounds.read(servers, min_servers, max_servers)
        self._sessions_per_server = sessions_per_server
        self._client_options = session_options(client, client_options, _There())
        self._settings = FleetSettings.read(settings)
        self._teller = Teller(on_event)
        self._overseer: Overseer | None = None
        self._dropped: weakref.finalize[..., Fleet[ClientT]] | None = None

    def session(self, *, queue_timeout_s: float | None = None) -> ClientT:
        """Return a client that is not connected yet: connecting, or its first call, takes a slot and waits for it in line.

        What its connecting raises, and its `reset` where the session was lost before:

        Args:
            queue_timeout_s: seconds to wait for a slot; None for the fleet's.

        Raises:
            CapacityReached: no slot came free in time.
            ConnectError: no server took sessions in time.
            LaunchError: no server is left, and starting others came to nothing.
            OpenEnvError: the fleet has stopped by a fault in its own code, which it names.
            UsageError: the fleet is not running, or this process is a fork of the one that started it.
        """
        return self._session(1, queue_timeout_s)

    def lanes(self, count: int, autoreset: str = "disabled", *, queue_timeout_s: float | None = None) -> Lanes[Any, Any, Any]:
        """Return so many environments in one session, all on one server: see `EnvClient.lanes`. Raises as `session` does."""
        return self._session(count, queue_timeout_s).lanes(count, autoreset)

    def _session(self, count: int, queue_timeout_s: float | None) -> ClientT:
        timeout_s = self._settings.queue_timeout_s if queue_timeout_s is None else seconds(queue_timeout_s)
        there = _There()
        client = self._client(provider=there, **self._client_options)
        reach = client._connection.endpoint_at

        def endpoint_of(server: Server) -> Endpoint:
            there.server = server
            return reach(server.url)

        client._connection = _Anywhere(
            lambda _: FleetEndpoint(self._running(), endpoint_of, count, timeout_s),
            there,
            lambda: self._session(count, queue_timeout_s)._connection,
        )
        return client

    def start(self) -> Awaitable[Self]:
        """Start the servers, several at a time, and return the fleet once all are up that there must be at least.

        Raises:
            LaunchError: no server came up, or some did not after several attempts; nothing is left running.
            UsageError: it has been started.
        """
        if asyncio._get_running_loop() is None:
            return cast("Awaitable[Self]", self._start())
        return PendingCall("start", self._start_async)

    def scale(self, least: int, most: int | None = None) -> Awaitable[None]:
        """Have another number of servers, and return once as many are up.

        Servers that are too many get no new sessions, and are stopped once they have none, or after `drain_timeout_s`; this is
        not waited for. A session on one of them goes on elsewhere with its next `reset()`.

        Args:
            least: how many; with `most`, how many at least.
            most: how many at most, between which the load decides.

        Raises:
            LaunchError: the servers that are to come do not start; those that are up stay.
            UsageError: a number that cannot be, or the fleet is not running.
        """
        bounds = Bounds.read(None, least, least if most is None else most)
        overseer = self._running()
        if asyncio._get_running_loop() is None:
            return cast("Awaitable[None]", overseer.run(overseer.set_bounds, bounds).result())
        return PendingCall("scale", lambda: overseer.wait_for(overseer.set_bounds, bounds))

    def close(self) -> Awaitable[None]:
        """Stop all servers, and end what goes on on them. Twice does no harm.

        A server that does not stop within `close_timeout_s` is logged and left to its provider.
        """
        if asyncio._get_running_loop() is None:
            return cast("Awaitable[None]", self._close())
        return PendingCall("close", self._close_async)

    @property
    def status(self) -> FleetStatus:
        """How the fleet stands, or stood when it was closed. Raises `UsageError` where it was never started."""
        if self._overseer is None:
            raise UsageError(CLOSED)
        return self._overseer.status()

    def sync(self) -> SyncFleet[ClientT]:
        """Return this fleet typed for blocking use, which works inside a running loop too."""
        from .sync import SyncFleet

        return SyncFleet(self)

    def __enter__(self) -> Self:
        return self._start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._close(kind)

    async def __aenter__(self) -> Self:
        return await self._start_async()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._close_async(kind)

    def _running(self) -> Overseer:
        if self._overseer is None:
            raise UsageError(CLOSED)
        self._overseer.check_open()
        return self._overseer

    def _begin(self) -> Overseer:
        if self._overseer is not None and self._overseer.is_open:
            raise UsageError("the fleet is running already")
        overseer = Overseer(self._make_provider, self._bounds, self._sessions_per_server, self._settings, self._teller)
        self._overseer = overseer
        if self._dropped is not None:
            self._dropped.detach()
        self._dropped = weakref.finalize(self, overseer.abandon)
        self._dropped.atexit = False
        return overseer

    def _start(self) -> Self:
        overseer = self._begin()
        try:
            overseer.run(overseer.until_ready).result()
        except BaseException:
            overseer.close()
            raise
        return self

    async def _start_async(self) -> Self:
        overseer = self._begin()
        try:
            await overseer.wait_for(overseer.until_ready)
        except BaseException:
            await overseer.close_async()
            raise
        return self

    def _close(self, kind: type[BaseException] | None = None) -> None:
        if self._overseer is not None:
            if is_interrupt(kind):
                self._overseer.interrupt()
            self._overseer.close()

    async def _close_async(self, kind: type[BaseException] | None = None) -> None:
        if self._overseer is not None:
            if is_interrupt(kind):
                self._overseer.interrupt()
            await self._overseer.close_async()


class _There(RuntimeProvider):
    """Stands, for the endpoint of a session, for what has started the server that the session is at.

    Attributes:
        server: which; None before the session has been opened.
    """

    def __init__(self) -> None:
        self.server: Server | None = None

    @property
    def headers(self) -> Mapping[str, str]:
        return {} if self.server is None else self.server.headers

    def start(self, port: int | None = None, env_vars: dict[str, str] | None = None, **options: Any) -> NoReturn:
        raise LaunchError("the servers of a fleet are started by the fleet")

    def wait_for_ready(self, timeout_s: float = 30.0) -> None:
        """The fleet has waited."""

    def stop(self) -> None:
        """The fleet stops it."""


class _Anywhere(Connection):
    """A connection whose sessions are opened wherever the fleet has room."""

    def __init__(self, endpoint: Callable[[str | None], Endpoint], there: _There, another: Callable[[], Connection]) -> None:
        super().__init__(endpoint)
        self._there = there
        self._make_another = another

    @property
    def url(self) -> str | None:
        """Where the server of the session is that was opened last."""
        return None if self._there.server is None else self._there.server.url

    def another(self) -> Connection:
        """Return a connection of its own to the same fleet."""
        return self._make_another()


def _maker(
    client: type[EnvClient[Any, Any, Any]], provider: RuntimeProvider | Callable[[], RuntimeProvider] | None
) -> Callable[[], RuntimeProvider]:
    """Return what returns a fresh provider. Raises `UsageError` where there is none."""
    if provider is None:
        from ...launch.process import ProcessProvider

        provider = ProcessProvider(client._server_name(None))
    if isinstance(provider, RuntimeProvider):
        return provider.another
    if not callable(provider):
        raise UsageError(f"provider is a RuntimeProvider, or what returns a fresh one, not {type(provider).__name__}")
    return provider

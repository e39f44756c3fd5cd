"""The in-process transport: the server's sessions without the socket."""

from __future__ import annotations

import asyncio
import concurrent.futures
import os
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from ..errors import SessionLost, UsageError
from ..sessions.dispatch import perform
from ..sessions.registry import Registry
from ..sessions.session import Session
from ..sessions.settings import Settings
from ..sessions.spec import environment_spec, load
from ..wire.msgpack_codec import MSGPACK
from .transport import GRACE_S, Call, dumped

T = TypeVar("T")


def app_endpoint(name: str) -> LocalEndpoint:
    """Return the endpoint of an app named `module:attribute`.

    Raises:
        UsageError: there is no such app, or it is not one that `create_app` made.
    """
    registry = getattr(getattr(load(name), "state", None), "registry", None)
    if not isinstance(registry, Registry):
        raise UsageError(f"{name} is not an app made by create_app")
    return LocalEndpoint(lambda: registry, owned=False)


def environment_endpoint(
    env: Any, action: type | None = None, observation: type | None = None, state: type | None = None
) -> LocalEndpoint:
    """Return the endpoint of an environment class, factory or instance; models that it does not name are given."""
    spec = environment_spec(env, action, observation, state)
    settings = Settings.from_environment()
    return LocalEndpoint(lambda: Registry(spec, settings), owned=True)


class LocalEndpoint:
    """The sessions of a registry, run on a loop in a thread that all local clients of a process share.

    Args:
        make: returns the registry.
        owned: it is this endpoint's alone, to be closed with its last session and made anew after that.
    """

    def __init__(self, make: Callable[[], Registry], *, owned: bool) -> None:
        self._make = make
        self._owned = owned
        self._registry: Registry | None = None

    def transport(self) -> LocalTransport:
        return LocalTransport(self)

    def blocking_transport(self) -> BlockingLocalTransport:
        return BlockingLocalTransport(self)

    def begin(self) -> Session:
        """Return a new session; called on the shared loop."""
        if self._registry is None:
            self._registry = self._make()
        return self._registry.begin()

    @property
    def strict_reset(self) -> bool:
        """Whether a reset argument that the environment does not take is refused."""
        return self._registry is None or self._registry.settings.strict_reset

    async def end(self, session: Session) -> None:
        """End a session, and with the last one what it ran on."""
        registry = self._registry
        if registry is None:
            return
        await registry.end(session)
        if self._owned and not len(registry):
            self._registry = None
            await registry.close()


class _LocalSession:
    """A session and its calls, as both transports use them on the shared loop."""

    def __init__(self, endpoint: LocalEndpoint) -> None:
        self._endpoint = endpoint
        self._session: Session | None = None

    async def _start(self) -> None:
        self._session = self._endpoint.begin()

    async def _answer(self, call: Call) -> dict[str, Any]:
        if self._session is None or self._session.ended:
            raise SessionLost("the session has ended and its episode with it: reset() starts another")
        data = dumped(MSGPACK.dump, call)
        strict = self._endpoint.strict_reset
        reply = await perform(self._session, call.type, data, call.timeout_s, strict_reset=strict, lanes=call.lanes)
        content: dict[str, Any] = MSGPACK.load(reply)
        return content

    async def _stop(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await self._endpoint.end(session)


class LocalTransport(_LocalSession):
    """One session of this process, used from an event loop."""

    async def open(self) -> LocalTransport:
        await asyncio.wrap_future(submit(self._start()))
        return self

    async def request(self, call: Call) -> dict[str, Any]:
        reply = asyncio.wrap_future(submit(self._answer(call)))
        try:
            done, _ = await asyncio.wait([reply], timeout=call.timeout_s + GRACE_S)
        except asyncio.CancelledError:
            reply.cancel()
            raise
        if not done:
            reply.add_done_callback(_drop)
            raise call.late()
        return reply.result()

    async def close(self) -> None:
        await asyncio.wait([asyncio.wrap_future(submit(self._stop()))], timeout=CLOSE_TIMEOUT_S)


class BlockingLocalTransport(_LocalSession):
    """As `LocalTransport`, for threads that wait."""

    def open(self) -> BlockingLocalTransport:
        submit(self._start()).result()
        return self

    def request(self, call: Call) -> dict[str, Any]:
        reply = submit(self._answer(call))
        done, _ = concurrent.futures.wait([reply], timeout=call.timeout_s + GRACE_S)
        if not done:
            raise call.late()
        return reply.result()

    def close(self) -> None:
        concurrent.futures.wait([submit(self._stop())], timeout=CLOSE_TIMEOUT_S)


CLOSE_TIMEOUT_S = 10.0
"""How long a closing client waits for a call in flight and `Environment.close()`; both go on behind it."""

_host: tuple[int, asyncio.AbstractEventLoop] | None = None
_host_turn = threading.Lock()


def submit(work: Coroutine[Any, Any, T]) -> concurrent.futures.Future[T]:
    """Run a coroutine on this process's loop for local sessions, started when first needed."""
    global _host
    with _host_turn:
        if _host is None or _host[0] != os.getpid():
            loop = asyncio.new_event_loop()
            threading.Thread(target=loop.run_forever, name="openenv-local", daemon=True).start()
            _host = (os.getpid(), loop)
    return asyncio.run_coroutine_threadsafe(work, _host[1])


def _drop(reply: asyncio.Future[Any]) -> None:
    if not reply.cancelled():
        reply.exception()

"""The in-process transport: the server's sessions without the socket."""

from __future__ import annotations

import asyncio
import concurrent.futures
import importlib
import os
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

from ..errors import SessionLost, UsageError
from ..sessions.dispatch import perform
from ..sessions.registry import Registry
from ..sessions.session import Session
from ..sessions.spec import environment_spec
from ..wire import v2
from .transport import GRACE_S, Call, dumped

T = TypeVar("T")


def app_endpoint(name: str) -> LocalEndpoint:
    """Return the endpoint of an app named `module:attribute`.

    Raises:
        UsageError: there is no such app, or it is not one that `create_app` made.
    """
    module_name, _, attribute = name.partition(":")
    try:
        app = getattr(importlib.import_module(module_name), attribute or "app")
    except ModuleNotFoundError as error:
        raise UsageError(f"cannot import {module_name}: {error}; install the environment with its [server] extra") from error
    except AttributeError:
        raise UsageError(f"{module_name} has no {attribute!r}") from None
    registry = getattr(getattr(app, "state", None), "registry", None)
    if not isinstance(registry, Registry):
        raise UsageError(f"{name} is not an app made by create_app")
    return LocalEndpoint(registry)


def environment_endpoint(
    env: Any, action: type | None = None, observation: type | None = None, state: type | None = None
) -> LocalEndpoint:
    """Return the endpoint of an environment class, factory or instance; models that it does not name are given."""
    return LocalEndpoint(Registry(environment_spec(env, action, observation, state)))


class LocalEndpoint:
    """The sessions of a registry, run on a loop in a thread that all local clients of a process share."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry

    def transport(self) -> LocalTransport:
        return LocalTransport(self.registry)

    def blocking_transport(self) -> BlockingLocalTransport:
        return BlockingLocalTransport(self.registry)


class _LocalSession:
    """A session and its calls, as both transports use them on the shared loop."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._session: Session | None = None

    async def _start(self) -> None:
        self._session = await self._registry.open()

    async def _answer(self, call: Call) -> dict[str, Any]:
        if self._session is None or self._session.ended:
            raise SessionLost("the session has ended and its episode with it: reset() starts another")
        data = dumped(v2.dump_msgpack, call)
        strict = self._registry.settings.strict_reset
        reply = await perform(self._session, call.type, data, call.timeout_s, strict_reset=strict)
        content: dict[str, Any] = v2.load_msgpack(reply)
        return content

    async def _stop(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await self._registry.end(session)


class LocalTransport(_LocalSession):
    """One session of this process, used from an event loop."""

    async def open(self) -> None:
        await asyncio.wrap_future(_submit(self._start()))

    async def request(self, call: Call) -> dict[str, Any]:
        reply = asyncio.wrap_future(_submit(self._answer(call)))
        done, _ = await asyncio.wait([reply], timeout=call.timeout_s + GRACE_S)
        if not done:
            reply.add_done_callback(_drop)
            raise call.late()
        return reply.result()

    async def close(self) -> None:
        await asyncio.wait([asyncio.wrap_future(_submit(self._stop()))], timeout=CLOSE_TIMEOUT_S)


class BlockingLocalTransport(_LocalSession):
    """As `LocalTransport`, for threads that wait."""

    def open(self) -> None:
        _submit(self._start()).result()

    def request(self, call: Call) -> dict[str, Any]:
        reply = _submit(self._answer(call))
        done, _ = concurrent.futures.wait([reply], timeout=call.timeout_s + GRACE_S)
        if not done:
            raise call.late()
        return reply.result()

    def close(self) -> None:
        concurrent.futures.wait([_submit(self._stop())], timeout=CLOSE_TIMEOUT_S)


CLOSE_TIMEOUT_S = 10.0
"""How long a closing client waits for a call in flight and `Environment.close()`; both go on behind it."""

_host: tuple[int, asyncio.AbstractEventLoop] | None = None
_host_turn = threading.Lock()


def _submit(work: Coroutine[Any, Any, T]) -> concurrent.futures.Future[T]:
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

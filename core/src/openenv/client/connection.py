"""A client's connection: how it is opened, in which of the two worlds it lives, and what may follow a failure."""

from __future__ import annotations

import asyncio
import os
import threading
import weakref
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from ..errors import OpenEnvError, SessionLost, StepTimeout, UsageError
from ..launch.provider import RuntimeProvider
from ..wire import messages
from .forking import PROCESS
from .standing import CLOSED, GIVEN_UP, Standing
from .transport import BlockingTransport, Call, Endpoint, Transport


class Connection:
    """One session, reached by calls that block or by calls that are awaited, never by both.

    Args:
        endpoint: makes the endpoint; given the URL of what `provider` started, or None where there is no provider.
        provider: starts the server when first needed and stops it on close.

    Attributes:
        endpoint_at: makes the endpoint of a URL.
    """

    def __init__(self, endpoint: Callable[[str | None], Endpoint], provider: RuntimeProvider | None = None) -> None:
        self.endpoint_at = endpoint
        self._provider = provider
        self._url: str | None = None
        self._async: tuple[asyncio.AbstractEventLoop, Transport] | None = None
        self._blocking: BlockingTransport | None = None
        self._thread_turn = threading.RLock()
        self._loop_turn = asyncio.Lock()
        self._standing = Standing()
        self._first: Call | None = None
        self._goodbye: weakref.finalize[..., Connection] | None = None
        self._process = PROCESS.number
        self._of_parent: object = None

    @property
    def is_blocking(self) -> bool:
        """Whether a blocking call opened it."""
        return self._blocking is not None

    def begin_with(self, first: Call, forget_lanes: Callable[[], None]) -> None:
        """Let every session begin with a call; `forget_lanes` is told after it, and where no lane's state is known any more.

        Raises:
            UsageError: a session has begun.
        """
        if self._async is not None or self._blocking is not None or self._first is not None:
            raise UsageError("lanes are for a client that is not connected yet: EchoEnv(url).lanes(64)")
        self._first, self._standing.forget_lanes = first, forget_lanes

    @property
    def url(self) -> str | None:
        """Where the server is that the provider started; None where none has been."""
        return self._url

    def another(self) -> Connection:
        """Return a connection of its own to the same server, which stays this one's to start and stop."""
        return Connection(lambda _: self.endpoint_at(self.start_provider()))

    def start_provider(self) -> str | None:
        """Start the server if that is this client's task and not done yet; return its URL."""
        if self._provider is not None and self._url is None:
            self._url = self._provider.start()
            try:
                self._provider.wait_for_ready()
            except BaseException:
                self._stop_provider()
                raise
        return self._url

    def open(self) -> BlockingTransport:
        """Connect for blocking calls; does nothing where that is done."""
        self._leave_to_parent()
        with self._thread_turn:
            if self._blocking is None:
                self._forget_ended_loop()
                if self._async is not None:
                    raise UsageError(
                        "this client is connected in an event loop: await its calls there, or use another client here"
                    )
                transport = self._blocking = self._begin_session(self.start_provider())
                self._goodbye = weakref.finalize(self, _say_goodbye, transport, PROCESS.number)
            return self._blocking

    async def open_async(self) -> Transport:
        """Connect for awaited calls on the running loop; does nothing where that is done."""
        self._leave_to_parent()
        loop = asyncio.get_running_loop()
        if self._async is not None and self._async[0] is loop:
            return self._async[1]
        async with self._loop_turn:
            if self._async is not None and self._async[0] is loop:
                return self._async[1]
            if self._blocking is not None:
                raise UsageError("this connection was opened by a blocking call: drop the await, or use another client")
            self._forget_ended_loop()
            if self._async is not None:
                raise UsageError("this client is connected in another event loop: close it there, or use another client")
            url = await asyncio.to_thread(self.start_provider) if self._provider is not None else None
            transport = await self._begin_session_async(url)
            self._async = (loop, transport)
            return transport

    def _begin_session(self, url: str | None, *, again: bool = False) -> BlockingTransport:
        """Connect and make the first call; a session that was cut off before it could run is followed by another, once."""
        transport = self.endpoint_at(url).blocking_transport().open()
        if self._first is None:
            return transport
        try:
            transport.request(self._first)
        except BaseException as error:
            transport.close()
            if again or not isinstance(error, SessionLost):
                raise
            return self._begin_session(url, again=True)
        self._standing.forget_lanes()
        return transport

    async def _begin_session_async(self, url: str | None, *, again: bool = False) -> Transport:
        """As `_begin_session`, awaited."""
        transport = await self.endpoint_at(url).transport().open()
        if self._first is None:
            return transport
        try:
            await transport.request(self._first)
        except BaseException as error:
            await transport.close()
            if again or not isinstance(error, SessionLost):
                raise
            return await self._begin_session_async(url, again=True)
        self._standing.forget_lanes()
        return transport

    def request(self, call: Call, *, again: bool = False) -> dict[str, Any]:
        """Send a call and wait for its reply; raises as `Transport.request` does.

        A reset that finds its session lost is sent once more (`again`), on a session of its own.
        """
        if self._process != PROCESS.number:
            self._leave_to_parent()
        try:
            if not self._thread_turn.acquire(timeout=min(call.timeout_s, threading.TIMEOUT_MAX)):
                told = f"{call.type} waited {call.timeout_s:g} s for another thread's call; the episode stands as it was"
                raise StepTimeout(told, started=False)
            standing = self._standing
            if standing.only_reset is not None or self._blocking is None:
                self._forget_ended_loop()
                standing.check(call)
                self._drop_lost_blocking(call)
            transport = self._blocking or self.open()
            try:
                data = transport.request(call)
            except SessionLost as error:
                standing.note(error)
                if call.type != messages.RESET or again:
                    raise
                return self.request(call, again=True)
            except OpenEnvError as error:
                standing.note(error)
                raise
            except BaseException:
                standing.lose_track(GIVEN_UP)
                raise
            if standing.only_reset is not None:
                standing.done(call)
            return data
        finally:
            try:  # noqa: SIM105 - before `suppress` is entered an interrupt may come
                self._thread_turn.release()
            except RuntimeError:  # one came before this thread's turn
                pass

    async def request_async(self, call: Call, *, again: bool = False) -> dict[str, Any]:
        """As `request`, awaited."""
        if self._process != PROCESS.number:
            self._leave_to_parent()
        standing = self._standing
        if standing.only_reset is not None or self._async is None or self._async[0] is not asyncio.get_running_loop():
            self._forget_ended_loop()
            standing.check(call)
            await self._drop_lost_async(call)
            transport = await self.open_async()
        else:
            transport = self._async[1]
        try:
            data = await transport.request(call)
        except SessionLost as error:
            standing.note(error)
            closed_meanwhile = self._async is None or self._async[1] is not transport
            if call.type != messages.RESET or again or closed_meanwhile:
                raise
            return await self.request_async(call, again=True)
        except asyncio.CancelledError:
            standing.lose_track(GIVEN_UP)
            raise
        except OpenEnvError as error:
            standing.note(error)
            raise
        if standing.only_reset is not None:
            standing.done(call)
        return data

    def close(self) -> None:
        """End the session, disconnect, and stop what the provider started."""
        self._leave_to_parent()
        with self._thread_turn:
            self.disconnect()
            self._stop_provider()

    def disconnect(self) -> None:
        """End the session and disconnect."""
        with self._thread_turn:
            self._forget_ended_loop()
            if self._async is not None:
                raise UsageError("this client is connected in an event loop: await its close() there")
            if self._blocking is not None:
                self._standing.lose(CLOSED)
                self._let_go(self._blocking)

    async def close_async(self) -> None:
        """As `close`, awaited."""
        self._leave_to_parent()
        await self.disconnect_async()
        if self._provider is not None:
            await asyncio.to_thread(self._stop_provider)

    async def disconnect_async(self) -> None:
        """As `disconnect`, awaited."""
        self._forget_ended_loop()
        if self._blocking is not None:
            raise UsageError("this connection was opened by a blocking call: close it without await")
        if self._async is None:
            return
        loop, transport = self._async
        if loop is not asyncio.get_running_loop():
            raise UsageError("this client is connected in another event loop: close it there")
        self._async = None
        self._standing.lose(CLOSED)
        await transport.close()

    def _drop_lost_blocking(self, call: Call) -> None:
        """Before a reset, let go of a connection whose session is lost."""
        if call.type == messages.RESET and self._standing.is_lost and self._blocking is not None:
            self._let_go(self._blocking)

    def _let_go(self, transport: BlockingTransport) -> None:
        self._blocking = None
        if self._goodbye is not None:
            self._goodbye.detach()
        transport.close()

    async def _drop_lost_async(self, call: Call) -> None:
        if call.type == messages.RESET and self._standing.is_lost and self._async is not None:
            (_, transport), self._async = self._async, None
            await transport.close()

    def _leave_to_parent(self) -> None:
        """In a forked child, let the parent have its connection and its server, untouched."""
        if self._process == os.getpid():
            return
        self._process = PROCESS.number
        self._of_parent = (self._async, self._blocking, self._provider)
        self._async = self._blocking = self._provider = None
        if self._goodbye is not None:
            self._goodbye.detach()
        self._thread_turn, self._loop_turn = threading.RLock(), asyncio.Lock()
        self._standing.lose("the session belongs to the process that this one was forked from: reset() starts another")

    def _forget_ended_loop(self) -> None:
        if self._async is not None and self._async[0].is_closed():
            self._async = None
            self._loop_turn = asyncio.Lock()
            self._standing.lose("the event loop of this connection has ended and its episode with it: reset() starts another")

    def _stop_provider(self) -> None:
        if self._provider is not None and self._url is not None:
            self._url = None
            self._provider.stop()


def _say_goodbye(transport: BlockingTransport, process: int) -> None:
    """End the session of a client that was dropped, or whose program ends, without being closed."""
    if process == PROCESS.number:
        with suppress(OpenEnvError, OSError):
            transport.close()

"""Version 2 of the socket: sessions that outlive their sockets."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque

from starlette.types import Message, Receive, Scope, Send

from ..errors import OpenEnvError, SessionLost
from ..sessions.exchange import Exchange, OutOfPlace
from ..sessions.registry import Registry
from ..version import __version__
from ..wire import messages, v2
from ..wire.codec import Codec
from .websocket_protocol import EXTENSION, WebSocketProtocol

logger = logging.getLogger("openenv.sessions")

NORMAL_END = 1000
LOST = 1006
CLOSING_TIMEOUT_S = 5.0

MOST_WAITING = 2 * messages.MAX_IN_FLIGHT
"""Nothing is read while more frames wait for a client that does not read: only one that asks again and again for what it was
told already has so many."""

SMALL_BYTES = 1024
"""Replies that the reader writes itself, for so many as may be in flight fit into a connection's buffers; longer ones are
the writer's, so that a client that does not read cannot stop the reading here."""


class ResumableSockets:
    """Serves sockets of version 2, and keeps their sessions for `resume_window_s` after a socket was lost."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._links: dict[str, _Link] = {}

    async def serve(self, codec: Codec, resumed: str | None, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one accepted socket to its end."""
        socket = _Socket(codec, receive, send, scope.get("extensions", {}).get(EXTENSION))
        try:
            link = self._begin(codec) if resumed is None else self._resume(codec, resumed)
        except OpenEnvError as error:
            await socket.refuse(error, messages.CLOSE_UNKNOWN if isinstance(error, SessionLost) else NORMAL_END)
            return
        link.take_over(socket)
        socket.say(self._hello(link.exchange, resumed=resumed is not None))
        code = LOST
        try:
            code = await socket.run(link.exchange)
        finally:
            if link.socket is socket:
                link.socket = None
                await self._left(link, code)

    def _begin(self, codec: Codec) -> _Link:
        settings = self._registry.settings
        exchange = Exchange(
            self._registry.begin(),
            codec,
            strict_reset=settings.strict_reset,
            max_unacked_bytes=settings.max_unacked_bytes,
        )
        link = self._links[exchange.session.id] = _Link(exchange)
        return link

    def _resume(self, codec: Codec, session_id: str) -> _Link:
        session = self._registry.get(session_id)
        link = self._links.get(session_id)
        if link is None or link.exchange.codec is not codec:
            raise SessionLost(f"session {'cannot be resumed' if link is None else 'speaks another subprotocol'}")
        assert link.exchange.session is session
        return link

    async def _left(self, link: _Link, code: int) -> None:
        """End a session whose client said goodbye or never began; give others time to come back."""
        session = link.exchange.session
        if code == NORMAL_END or not link.exchange.begun or session.ended:
            self._links.pop(session.id, None)
            await self._registry.end(session, "its client closed it")
        else:
            link.end_later(self._registry.settings.resume_window_s, self._window_over)
        for gone in [name for name in self._links if not self._registry.has(name)]:
            del self._links[gone]

    async def _window_over(self, link: _Link) -> None:
        window_s = self._registry.settings.resume_window_s
        logger.info("the client of a session did not come back within %g s", window_s)
        self._links.pop(link.exchange.session.id, None)
        await self._registry.end(link.exchange.session, f"its client did not come back within {window_s:g} s")

    def _hello(self, exchange: Exchange, *, resumed: bool) -> bytes:
        settings = self._registry.settings
        data = {
            "session": exchange.session.id,
            "resumed": resumed,
            "protocol": exchange.codec.subprotocol,
            "environment": self._registry.spec.name,
            "version": __version__,
            "limits": {
                "max_message_bytes": settings.max_message_bytes,
                "max_in_flight": messages.MAX_IN_FLIGHT,
                "max_unacked_bytes": settings.max_unacked_bytes,
                "idle_timeout_s": settings.idle_timeout_s,
                "resume_window_s": settings.resume_window_s,
                "step_timeout_s": settings.step_timeout_s,
                "lanes": self._registry.capacity,
            },
            "capabilities": ["resume", "deadlines", "cancel", "mcp", *_of_episodes(self._registry)],
        }
        return exchange.codec.dump({"type": messages.HELLO, "data": data})


def _of_episodes(registry: Registry) -> list[str]:
    return ["render", "lanes", "tasks"] if registry.serves_episodes else []


class _Link:
    """A session and the socket that it has now, if any."""

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.socket: _Socket | None = None
        self._ending: asyncio.Task[None] | None = None

    def take_over(self, socket: _Socket) -> None:
        """Make this the session's socket; the one before is closed, for the newest wins."""
        if self._ending is not None:
            self._ending.cancel()
            self._ending = None
        before, self.socket = self.socket, socket
        if before is not None:
            before.end(messages.CLOSE_REPLACED)
        self.exchange.attach(socket.say)

    def end_later(self, window_s: float, end: object) -> None:
        """Call `end` with this link after a while without a socket."""

        async def wait() -> None:
            await asyncio.sleep(window_s)
            self._ending = None
            await end(self)  # type: ignore[operator]

        self._ending = asyncio.create_task(wait())


class _Socket:
    """One socket of a session. No call waits for a reply to be written: what cannot leave at once is left to a task.

    Under `openenv.server.serve` messages take the short way of `websocket_protocol`, elsewhere ASGI's.
    """

    def __init__(self, codec: Codec, receive: Receive, send: Send, short_way: WebSocketProtocol | None) -> None:
        self._codec = codec
        self._receive = receive
        self._send = send
        self._short_way = short_way
        self._frames: deque[bytes] = deque()
        self._written = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._taking = False
        self._sending = False
        self._over: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._exchange: Exchange

    def say(self, frame: bytes) -> None:
        """Let a frame be sent: now where that can be, by whoever reads now where that is what led to it, else by the writer."""
        way = None if self._frames or self._sending else self._short_way
        if way is None or not way.write(frame, text=self._codec.is_text):
            self._frames.append(frame)
            if len(self._frames) > MOST_WAITING:
                self._hold(True)
            if not self._taking:
                self._written.set()

    async def refuse(self, error: OpenEnvError, code: int) -> None:
        """Tell of an error and close."""
        await self._write_one(v2.error_frame(self._codec, None, error))
        await self._close(code)

    def end(self, code: int) -> None:
        """Let the socket end with a code, unless it has one."""
        if not self._over.done():
            self._over.set_result(code)

    async def run(self, exchange: Exchange) -> int:
        """Serve until the socket ends; return the code it ended with, 1000 where the session is to end."""
        self._exchange = exchange
        if self._short_way is not None and not self._short_way.listen(self._take, text=self._codec.is_text):
            self._short_way = None
        tasks = (asyncio.create_task(self._read()), asyncio.create_task(self._write()))
        tasks[0].add_done_callback(lambda _: self.end(LOST))
        try:
            await asyncio.wait((self._over, tasks[1]), return_when=asyncio.FIRST_COMPLETED)
            # where nothing can be written any more, what was read before still counts: a goodbye, for one
            await asyncio.wait((self._over,), timeout=CLOSING_TIMEOUT_S)
            code = self._over.result() if self._over.done() else LOST
        finally:
            exchange.detach(self.say)
            self._hold(False)
            self._short_way = None
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        if code in (NORMAL_END, messages.CLOSE_PROTOCOL, messages.CLOSE_REPLACED):
            await self._flush_and_close(code)
        return code

    def _take(self, frame: str | bytes) -> None:
        """Deal with one message."""
        if self._over.done():
            return
        try:
            if not self._exchange.receive(frame):
                self.end(NORMAL_END)
        except OutOfPlace as reason:
            logger.info("closed a socket: %s", reason)
            self.end(messages.CLOSE_PROTOCOL)
        except Exception:
            logger.exception("closed a socket: a message could not be dealt with")
            self.end(messages.CLOSE_PROTOCOL)

    def _hold(self, full: bool) -> None:
        """Read no more while `full`."""
        if full:
            self._room.clear()
        else:
            self._room.set()
        if self._short_way is not None:
            self._short_way.hold(full)

    async def _read(self) -> None:
        while (message := await self._receive())["type"] == "websocket.receive" and not self._over.done():
            self._taking = True
            self._take(frame_of(message))
            self._taking = False
            with contextlib.suppress(OSError):  # gone: what came before it went is still to be read
                while self._frames and len(self._frames[0]) <= SMALL_BYTES:
                    await self._write_next()
            if self._frames:
                self._written.set()
            await self._room.wait()
        self.end(int(message.get("code") or LOST))

    async def _write(self) -> None:
        while True:
            while self._frames:
                await self._write_next()
            self._written.clear()
            await self._written.wait()

    async def _write_next(self) -> None:
        self._sending = True
        try:
            await self._write_one(self._frames.popleft())
        finally:
            self._sending = False
        if not self._room.is_set() and len(self._frames) <= MOST_WAITING:
            self._hold(False)

    async def _write_one(self, frame: bytes) -> None:
        if (way := self._short_way) is not None:
            while not way.write(frame, text=self._codec.is_text):
                await way.writable.wait()
        elif self._codec.is_text:
            await self._send({"type": "websocket.send", "text": frame.decode()})
        else:
            await self._send({"type": "websocket.send", "bytes": frame})

    async def _flush_and_close(self, code: int) -> None:
        """Send what is left, unless another socket has it now, and close."""
        with contextlib.suppress(OSError, RuntimeError):  # it took too long, or the client has gone
            async with asyncio.timeout(CLOSING_TIMEOUT_S):
                while self._frames and code != messages.CLOSE_REPLACED:
                    await self._write_next()
                await self._close(code)

    async def _close(self, code: int) -> None:
        with contextlib.suppress(OSError, RuntimeError):
            await self._send({"type": "websocket.close", "code": code})


def frame_of(message: Message) -> str | bytes:
    """Return what a `websocket.receive` carries."""
    frame: str | bytes = message["bytes"] if message.get("text") is None else message["text"]
    return frame

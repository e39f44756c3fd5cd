"""The WebSocket endpoint `/ws`: which protocol a client speaks, and version 1, where one socket is one session."""

from __future__ import annotations

import asyncio
import contextlib

from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send

from ..errors import OpenEnvError
from ..sessions.dispatch import answer
from ..sessions.registry import Registry
from ..sessions.session import Session
from ..wire import v1, v2
from .origin import is_foreign
from .resumable_socket import ResumableSockets, frame_of

READ_AHEAD = 16
"""So many frames of a version 1 client are read before those before them are answered."""


class SocketEndpoint:
    """An ASGI application that speaks version 2 to those who offer it and version 1 to all others."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._resumable = ResumableSockets(registry)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        headers = Headers(scope=scope)
        if is_foreign(headers.get("origin"), headers.get("host")):
            await close(send)  # which, before the socket is accepted, is HTTP 403
            return
        codec, resumed = v2.choose(scope["subprotocols"])
        if codec is not None:
            await send({"type": "websocket.accept", "subprotocol": codec.subprotocol})
            await self._resumable.serve(codec, resumed, scope, receive, send)
        else:
            await send({"type": "websocket.accept"})
            await self._serve_v1(receive, send)

    async def _serve_v1(self, receive: Receive, send: Send) -> None:
        """Open a session, answer frame by frame, and end it when the socket closes, for whatever reason.

        The client is listened to all the while, so that one who goes away is noticed also in the queue and in a step.
        """
        frames: asyncio.Queue[str | bytes] = asyncio.Queue(READ_AHEAD)
        reading = asyncio.create_task(read_frames(receive, frames))
        session: Session | None = None
        try:
            async with asyncio.timeout(None) as connected:
                reading.add_done_callback(lambda _: _end_now(connected))
                session = await self._registry.open()
                while (reply := await answer(session, await frames.get())) is not None:
                    await send_text(send, reply)
                    if session.ended:
                        break
                await close(send)
        except OpenEnvError as error:
            with contextlib.suppress(OSError):
                await send_text(send, v1.error_reply(error))
                await close(send)
        except OSError:
            pass  # the client went away
        finally:
            reading.cancel()
            if session is not None:
                await self._registry.end(session)


async def read_frames(receive: Receive, frames: asyncio.Queue[str | bytes]) -> None:
    """Put what a client sends into a queue, until it goes away."""
    while (message := await receive())["type"] == "websocket.receive":
        await frames.put(frame_of(message))


def _end_now(scope: asyncio.Timeout) -> None:
    with contextlib.suppress(RuntimeError):  # it has ended already
        scope.reschedule(0.0)


async def send_text(send: Send, frame: bytes) -> None:
    """Send a frame as text."""
    await send({"type": "websocket.send", "text": frame.decode()})


async def close(send: Send, code: int = 1000) -> None:
    """Close the socket."""
    await send({"type": "websocket.close", "code": code})

"""The WebSocket endpoint `/ws`: one socket, one session."""

from __future__ import annotations

from starlette.types import Message, Receive, Scope, Send

from ..errors import OpenEnvError
from ..sessions.dispatch import answer
from ..sessions.registry import Registry
from ..wire import v1


class SocketEndpoint:
    """An ASGI application that speaks protocol version 1.

    A session begins when its socket opens and ends when it closes, for whatever reason.
    """

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        try:
            session = await self._registry.open()
        except OpenEnvError as error:
            await _send_text(send, v1.error_reply(error))
            await _close(send)
            return
        try:
            while (message := await receive())["type"] == "websocket.receive":
                reply = await answer(session, _frame(message))
                if reply is None:
                    await _close(send)
                    break
                await _send_text(send, reply)
                if session.ended:
                    await _close(send)
                    break
        except OSError:
            pass  # the client went away while it was being answered
        finally:
            await self._registry.end(session)


def _frame(message: Message) -> str | bytes:
    frame: str | bytes = message["bytes"] if message.get("text") is None else message["text"]
    return frame


async def _send_text(send: Send, frame: bytes) -> None:
    await send({"type": "websocket.send", "text": frame.decode()})


async def _close(send: Send) -> None:
    await send({"type": "websocket.close", "code": 1000})

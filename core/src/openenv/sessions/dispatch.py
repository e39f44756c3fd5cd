"""A message and a session make a reply."""

from __future__ import annotations

import asyncio

from ..errors import OpenEnvError
from ..wire import messages, v1, v2
from ..wire.messages import Request
from .session import Session


async def answer(session: Session, frame: str | bytes) -> bytes | None:
    """Return the reply to one frame of protocol version 1, or None where the client asks to close.

    Never raises for what a client sends or an environment does: that becomes an error reply.
    """
    try:
        request = v1.read_request(frame)
        if request.type == messages.CLOSE:
            return None
        return v1.reply(messages.REPLY_TYPE[request.type], await session.call(request))
    except OpenEnvError as error:
        return v1.error_reply(error)


async def perform(session: Session, kind: str, data: bytes | None, deadline_s: float, *, strict_reset: bool) -> bytes:
    """Return the reply's `data` to a request that comes from this process; both are in msgpack.

    Raises:
        OpenEnvError: what a server would have answered.
    """
    content = None if data is None else v2.load_msgpack(data)
    if content is None and kind in (messages.RESET, messages.STEP):
        content = {}
    ticket = session.submit(Request(kind, content, deadline_s, strict_reset), v2.encode_msgpack, deadline_s)
    try:
        return await ticket.outcome()
    except asyncio.CancelledError:
        session.lane.give_up(ticket)
        raise

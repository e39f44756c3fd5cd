"""A message and a session make a reply."""

from __future__ import annotations

import asyncio

from ..errors import OpenEnvError
from ..wire import messages, v1, v2
from ..wire.msgpack_codec import MSGPACK
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


async def perform(
    session: Session,
    kind: str,
    data: bytes | None,
    deadline_s: float,
    *,
    strict_reset: bool,
    lanes: list[int] | None = None,
) -> bytes:
    """Return the reply's `data` to a request that comes from this process; both are in msgpack.

    Raises:
        OpenEnvError: what a server would have answered.
    """
    message = {"data": None if data is None else MSGPACK.load(data), "deadline_s": deadline_s, "lanes": lanes}
    request = v2.read_request(v2.Incoming(kind, None, None, message), strict_reset)
    ticket = session.submit(request, MSGPACK, deadline_s)
    try:
        return await ticket.outcome()
    except asyncio.CancelledError:
        session.give_up(ticket)
        raise

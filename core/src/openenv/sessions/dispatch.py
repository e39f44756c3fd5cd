"""A message and a session make a reply."""

from __future__ import annotations

from ..errors import OpenEnvError
from ..wire import messages, v1
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

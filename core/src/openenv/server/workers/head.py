"""Where a connection belongs, from the head of the first request on it."""

from __future__ import annotations

import re
from typing import NamedTuple

from ...wire.messages import AGENT_SESSION_HEADER, NEW_SESSION, SESSION_HEADER

LONGEST_HEAD = 16 * 1024
END = b"\r\n\r\n"

_WORKER = rb"(\d{1,5}\.\d{1,9})\."
_HEADER = re.compile(rb"^" + SESSION_HEADER.encode() + rb":[ \t]*([^\r\n]+)", re.IGNORECASE | re.MULTILINE)
_AGENT = re.compile(rb"^" + AGENT_SESSION_HEADER.encode() + rb":[ \t]*" + _WORKER, re.IGNORECASE | re.MULTILINE)
_OF_AGENT = re.compile(rb"^[A-Z]+ [^ ?]*/mcp[ ?]")
_SUBPROTOCOL = re.compile(rb"^Sec-WebSocket-Protocol:[^\r\n]*\bopenenv\.session\." + _WORKER, re.IGNORECASE | re.MULTILINE)
_COOKIE = re.compile(rb"^Cookie:[^\r\n]*\bopenenv_session_\d+=" + _WORKER, re.IGNORECASE | re.MULTILINE)
_UPGRADE = re.compile(rb"^Upgrade:[ \t]*websocket", re.IGNORECASE | re.MULTILINE)
_OF_ID = re.compile(_WORKER)


class Destination(NamedTuple):
    """Where a connection is to go.

    Attributes:
        worker: the name of the worker process whose session it names, if it does.
        anywhere: where it names none, whether any worker will do; else it is for the first.
    """

    worker: str | None
    anywhere: bool


ANYWHERE = Destination(None, True)


def destination(head: bytes) -> Destination:
    """Return where a connection is to go that begins so. A wrong guess costs a detour: workers forward."""
    if _UPGRADE.search(head):
        return _named(_SUBPROTOCOL.search(head)) or ANYWHERE
    if _OF_AGENT.match(head):
        return _named(_AGENT.search(head)) or ANYWHERE
    header = _HEADER.search(head)
    if header is not None:
        name = header[1].strip()
        return ANYWHERE if name == NEW_SESSION.encode() else _named(_OF_ID.match(name)) or ANYWHERE
    return _named(_COOKIE.search(head)) or Destination(None, False)


def _named(found: re.Match[bytes] | None) -> Destination | None:
    return None if found is None else Destination(found[1].decode(), False)

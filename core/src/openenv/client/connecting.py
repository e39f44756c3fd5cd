"""Making a socket's connection, keeping at it, and what its ending means."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from typing import Any

from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

from ..errors import ConnectError, OpenEnvError, SessionLost, UnauthorizedError
from ..wire import messages
from ..wire.v2 import CODECS
from .address import is_loopback
from .transport import Options

FAILURES = (OSError, InvalidHandshake, EOFError)
"""What the library raises where no connection comes about."""

OFFERED = list(CODECS)
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.05, 2.0
REFUSED_PATIENCE_S = 5.0
"""Where nobody listens any more, a server that is only being replaced has so long to come back."""

TOO_BIG = 1009

_jitter = random.Random()


def arguments(url: str, options: Options, subprotocols: list[str]) -> dict[str, Any]:
    """Return the library's arguments for a connection."""
    return {
        "open_timeout": options.connect_timeout_s,
        "ping_interval": options.ping_interval_s,
        "ping_timeout": options.ping_timeout_s,
        "max_size": options.max_message_bytes,
        "additional_headers": dict(options.headers),
        "subprotocols": subprotocols,
        "compression": None,
        "close_timeout": 2.0,
        "proxy": None if is_loopback(url) else True,
    }


def refusal(url: str, error: Exception) -> OpenEnvError:
    """Return the error for a connection that did not come about."""
    if isinstance(error, InvalidStatus) and error.response.status_code in (401, 403):
        return UnauthorizedError(f"{url} refused the connection (HTTP {error.response.status_code})")
    reason = "it did not answer in time" if isinstance(error, TimeoutError) else str(error) or type(error).__name__
    return ConnectError(f"cannot connect to {url}: {reason}; is the server running?")


def lost(url: str, closed: ConnectionClosed) -> SessionLost:
    """Return the error for a session that ended with its socket."""
    return SessionLost(f"the connection to {url} ended ({ending(closed)}) and its episode with it: reset() starts another")


def ending(closed: ConnectionClosed) -> str:
    """Say how a socket ended."""
    close = closed.rcvd or closed.sent
    return f"code {close.code}{f', {close.reason}' if close.reason else ''}" if close else "without a goodbye"


def final(url: str, closed: ConnectionClosed) -> SessionLost | None:
    """Return the error for an ending after which there is nothing to resume, or None where it is worth trying."""
    code = closed.rcvd.code if closed.rcvd else None
    if code == messages.CLOSE_REPLACED:
        return SessionLost("another connection has taken over this session: reset() starts one of this client's own")
    if closed.sent is not None and closed.sent.code == TOO_BIG:
        return SessionLost(f"{url} sent more than max_message_size_mb allows, so the episode is lost: reset() starts another")
    return lost(url, closed) if code in (1000, messages.CLOSE_UNKNOWN) else None


class Persistence:
    """How long to try to come back to a session, and the pauses between tries.

    Args:
        url: of the server.
        window_s: how long the server keeps the session.
        closed: how the socket ended.
    """

    def __init__(self, url: str, window_s: float, closed: ConnectionClosed) -> None:
        self._url = url
        self._lost_at = time.monotonic()
        self._window_s = window_s
        self._closed = closed
        self._refused_since: float | None = None

    def failed(self, error: Exception) -> None:
        """Note a try that came to nothing. Raises `SessionLost` where no further one makes sense."""
        now = time.monotonic()
        refused = isinstance(error, ConnectionRefusedError) or "refused" in str(error).lower()
        self._refused_since = (self._refused_since or now) if refused else None
        if self._refused_since is not None and now - self._refused_since > min(REFUSED_PATIENCE_S, self._window_s):
            raise self._given_up("nobody listens there any more") from None
        if now - self._lost_at > self._window_s:
            raise self._given_up(f"it could not be reached again within {self._window_s:g} s") from None

    def _given_up(self, why: str) -> SessionLost:
        return SessionLost(
            f"the connection to {self._url} ended ({ending(self._closed)}) and {why}, "
            "so its episode is gone: reset() starts another"
        )

    def pauses(self) -> Iterator[float]:
        """Yield the seconds to wait before each try: at once first, then longer each time, with jitter."""
        yield 0.0
        pause_s = FIRST_PAUSE_S
        while True:
            yield pause_s * _jitter.uniform(0.5, 1.5)
            pause_s = min(pause_s * 2, LONGEST_PAUSE_S)

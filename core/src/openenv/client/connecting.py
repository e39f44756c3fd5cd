"""Making a socket's connection, keeping at it, and what its ending means."""

from __future__ import annotations

import logging
import math
import random
import time
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
TRIES_A_WINDOW = 10
"""The pauses are never so long that fewer tries fit into the time for which the server keeps the session."""
SAY_SO_AFTER_S = 2.0
"""What takes longer to come back is told of in the log."""
REFUSED_PATIENCE_S = 5.0
"""Where nobody listens any more, a server that is only being replaced has so long to come back."""

TOO_BIG = 1009

MOST_REFUSALS = 3
"""So often in a row a server may call what is repeated a breach of the protocol."""

_jitter = random.Random()
logger = logging.getLogger("openenv.client")


def arguments(url: str, options: Options, subprotocols: list[str], patience_s: float | None = None) -> dict[str, Any]:
    """Return the library's arguments for a connection that is to come about within `patience_s` at most."""
    timeout_s = options.connect_timeout_s
    return {
        "open_timeout": timeout_s if patience_s is None else min(timeout_s, patience_s),
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
    if closed.sent is not None and closed.sent.code == TOO_BIG and not closed.rcvd_then_sent:
        return SessionLost(f"{url} sent more than max_message_size_mb allows, so the episode is lost: reset() starts another")
    if code == TOO_BIG:
        return SessionLost(f"a message was longer than {url} takes, so the episode is lost: reset() starts another")
    return lost(url, closed) if code in (1000, messages.CLOSE_UNKNOWN) else None


class Persistence:
    """How long to try to come back to a session, and the pauses between tries; one for all of a session's sockets.

    Args:
        url: of the server.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._window_s = math.inf
        self._closed: ConnectionClosed | None = None
        self._lost_at = 0.0
        self._refused_since: float | None = None
        self._tries = 0
        self._refusals = 0
        self._strays = 0
        self._is_told = False

    def lost(self, closed: ConnectionClosed, window_s: float) -> None:
        """Note that the socket has ended; the server keeps the session for so long. May be told again while that lasts.

        Raises:
            SessionLost: there is nothing to come back to.
        """
        self._check_ending(closed)
        if self._closed is not None:
            return
        self._closed, self._lost_at, self._window_s = closed, time.monotonic(), window_s
        if closed.rcvd is not None and closed.rcvd.code == messages.CLOSE_PROTOCOL:
            self._refusals += 1
            if self._refusals > MOST_REFUSALS:
                raise self._given_up("it will not take what this client has to repeat") from None

    def failed(self, error: Exception) -> None:
        """Note a try that came to nothing. Raises `SessionLost` where no further one makes sense."""
        if isinstance(error, ConnectionClosed):
            self._check_ending(error)
        elif isinstance(error, TimeoutError):
            self._strays += 1
        if isinstance(error, InvalidStatus) and error.response.status_code in (401, 403):
            raise self._given_up(f"it was not let in again (HTTP {error.response.status_code})") from None
        now = time.monotonic()
        if not self._is_told and now - self._lost_at > SAY_SO_AFTER_S:
            self._is_told = True
            logger.warning("the connection to %s ended: trying to come back to its session", self._url)
        refused = isinstance(error, ConnectionRefusedError) or "refused" in str(error).lower()
        self._refused_since = (self._refused_since or now) if refused else None
        if self._refused_since is not None and now - self._refused_since > min(REFUSED_PATIENCE_S, self._window_s):
            raise self._given_up("nobody listens there any more") from None
        if now - self._lost_at > self._window_s:
            raise self._given_up(f"it could not be reached again within {self._window_s:g} s") from None

    def resumed(self) -> None:
        """Note that a try was successful."""
        self._closed = self._refused_since = None
        if self._is_told:
            self._is_told = False
            logger.warning("the session at %s goes on", self._url)

    def progressed(self) -> None:
        """Note that a reply arrived: the next loss is a new one. Without any, sockets that come and go are tried less often."""
        self._tries = self._refusals = 0

    def pause_s(self) -> float:
        """Return the seconds to wait before the next try: none first, then longer each time, with jitter."""
        tries, self._tries = self._tries, self._tries + 1
        longest = min(FIRST_PAUSE_S * 2.0 ** min(tries - 1, 16), LONGEST_PAUSE_S, self._window_s / TRIES_A_WINDOW)
        return longest * _jitter.uniform(0.5, 1.5) if tries else 0.0

    def _check_ending(self, closed: ConnectionClosed) -> None:
        """Raise `SessionLost` for an ending that is final; a try given up too early may be what took the session over."""
        if self._strays and closed.rcvd is not None and closed.rcvd.code == messages.CLOSE_REPLACED:
            self._strays -= 1
        elif ended := final(self._url, closed):
            raise ended

    def _given_up(self, why: str) -> SessionLost:
        told = "" if self._closed is None else f" ({ending(self._closed)})"
        return SessionLost(
            f"the connection to {self._url} ended{told} and {why}, so its episode is gone: reset() starts another"
        )

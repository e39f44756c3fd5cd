"""How a client reaches an environment: two interfaces, one for event loops and one for threads that wait."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol, runtime_checkable

from ..errors import NotSupportedError, SessionLost, StepTimeout, UsageError
from ..wire import messages
from ..wire.messages import DEFAULT_MAX_MESSAGE_BYTES


class Call(NamedTuple):
    """A request ready to send.

    Attributes:
        type: the message type.
        payload: the arguments of a reset or an action, as plain data or a model; None for none.
        timeout_s: seconds that the call may take, waiting for its turn included.
        lanes: those that `payload` has an entry for, in its order; None for a call of one environment.
    """

    type: str
    payload: Any
    timeout_s: float
    lanes: list[int] | None = None

    def late(self) -> StepTimeout:
        """Return the error for a reply that did not come in time and that the server knows nothing of."""
        return StepTimeout(f"no reply to {self.type} within {self.timeout_s:g} s: reset() before the next step")


@dataclass(frozen=True)
class Options:
    """How to connect.

    Attributes:
        connect_timeout_s: seconds for a connection to be made. Default 10.
        max_message_bytes: largest message taken. Default 100 MiB.
        ping_interval_s: seconds between pings of an idle socket; None sends none. Default 20.
        ping_timeout_s: seconds after which an unanswered ping ends the socket, or a message of which nothing more leaves; None
            waits for ever. Default 20.
        headers: further HTTP headers of every request.
    """

    connect_timeout_s: float = 10.0
    max_message_bytes: int = DEFAULT_MAX_MESSAGE_BYTES
    ping_interval_s: float | None = 20.0
    ping_timeout_s: float | None = 20.0
    headers: Mapping[str, str] = field(default_factory=dict)


def check_supported(call: Call, how: str) -> None:
    """Raise `NotSupportedError` for a call that only version 2 of the socket knows."""
    if call.type not in messages.V1_REQUESTS or call.lanes is not None:
        raise NotSupportedError(f"{call.type} {'of lanes ' if call.lanes else ''}cannot be had {how}")


GRACE_S = 0.5
"""How much longer than a call's own time a client waits, since the server's word for its lateness tells more."""


LONGEST_S = 365 * 86400.0
"""A year stands for ever: no timer of a system takes an infinite time."""


def seconds(timeout_s: object) -> float:
    """Return a time to wait, at most a year. Raises `UsageError` for what is no number above 0."""
    if isinstance(timeout_s, bool) or not isinstance(timeout_s, int | float) or not timeout_s > 0:
        raise UsageError(f"a timeout is a number of seconds above 0, not {timeout_s!r}")
    return min(float(timeout_s), LONGEST_S)


def dumped(dump: Callable[[Any], bytes], call: Call) -> bytes | None:
    """Return a call's payload as bytes, or None for none. Raises `UsageError` for what cannot be sent."""
    try:
        return None if call.payload is None else dump(call.payload)
    except (ValueError, TypeError) as error:
        raise UsageError(f"what {call.type} was given cannot be sent: {error}") from None


class Transport(Protocol):
    """Carries the calls of one session from an event loop."""

    async def request(self, call: Call) -> dict[str, Any]:
        """Send a request and return the `data` of its reply. Calls made meanwhile wait their turn.

        Raises:
            StepTimeout: no reply in time; a later one is dropped.
            SessionLost: the connection ended, and the session with it.
            OpenEnvError: the error that the server replied.
        """

    async def close(self) -> None:
        """End the session and disconnect; never raises for a server that is gone."""


class BlockingTransport(Protocol):
    """As `Transport`, for threads that wait; called by one thread at a time."""

    def request(self, call: Call) -> dict[str, Any]:
        """See `Transport.request`."""

    def close(self) -> None:
        """See `Transport.close`."""


@runtime_checkable
class Losable(Protocol):
    """A transport of either kind whose session can be given up while calls wait for their replies."""

    def lose(self, error: SessionLost) -> None:
        """End the session without a word to the server, which is gone: calls that wait and later ones raise `SessionLost`.

        Waits for nothing. Of a transport of an event loop it is called on that loop; of a blocking one, from any thread.
        """


class Opening(Protocol):
    """A session that is yet to begin, for the event loop that runs now."""

    async def open(self) -> Transport:
        """Connect, and return what carries the session's calls, as the server found wants them.

        Raises:
            ConnectError: nobody answers.
            OpenEnvError: the server answers with an error.
        """


class BlockingOpening(Protocol):
    """As `Opening`, for threads that wait."""

    def open(self) -> BlockingTransport:
        """See `Opening.open`."""


class Endpoint(Protocol):
    """One place to reach an environment at, from which any number of sessions can be opened."""

    def transport(self) -> Opening:
        """Return the opening of a session for the event loop that runs now."""

    def blocking_transport(self) -> BlockingOpening:
        """Return the opening of a session for threads that wait."""

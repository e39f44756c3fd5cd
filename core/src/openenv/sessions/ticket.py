"""A call on its way through a session."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from ..wire.messages import Request
from .calls import Encode


class Ticket:
    """A call that waits its turn, runs, or has its outcome.

    Attributes:
        started: the environment has been called.
        done: there is an outcome: `data`, the encoded reply, or `error`.
        until: when the call is given up, as the event loop counts; None for never.
        deadline_s: how long after it came that is.
    """

    __slots__ = (
        "_ended",
        "_future",
        "_listener",
        "data",
        "deadline_s",
        "done",
        "encode",
        "error",
        "request",
        "started",
        "until",
    )

    def __init__(self, request: Request, encode: Encode, ended: Callable[[Ticket], None]) -> None:
        self.request = request
        self.encode = encode
        self.started = False
        self.done = False
        self.data: bytes | None = None
        self.error: BaseException | None = None
        self.until: float | None = None
        self.deadline_s: float | None = None
        self._ended = ended
        self._listener: Callable[[Ticket], None] | None = None
        self._future: asyncio.Future[bytes] | None = None

    def settle(self, data: bytes | None, error: BaseException | None = None) -> None:
        """Set the outcome, unless there is one, and tell who waits for it."""
        if self.done:
            return
        self.done, self.data, self.error = True, data, error
        if self._listener is not None:
            self._listener(self)
        if self._future is not None and not self._future.done():
            self._fill(self._future)
        self._ended(self)

    def tell(self, listener: Callable[[Ticket], None]) -> None:
        """Call somebody with this ticket once it is done, at once where it is."""
        if self.done:
            listener(self)
        else:
            self._listener = listener

    async def outcome(self) -> bytes:
        """Return the reply's encoded data, or raise the error. Giving up the wait does not touch the call."""
        if not self.done:
            self._future = asyncio.get_running_loop().create_future()
            return await self._future
        if self.error is not None:
            raise self.error
        return self.data or b""

    def _fill(self, future: asyncio.Future[bytes]) -> None:
        if self.error is not None:
            future.set_exception(self.error)
        else:
            future.set_result(self.data or b"")

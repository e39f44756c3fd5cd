"""Where a session's episode stands after a failure, and what may follow it."""

from __future__ import annotations

from collections.abc import Callable

from ..errors import OpenEnvError, SessionError, SessionLost, SessionStuck, StepTimeout
from ..wire import messages
from .transport import Call

CLOSED = "the client was closed and its episode ended: reset() starts another"
GIVEN_UP = "the call before was given up, so where the episode stands is unknown: reset() first"
TIMED_OUT = "the call before timed out, so where the episode stands is unknown: reset() first"


class Standing:
    """What the calls so far leave to the next one.

    Attributes:
        only_reset: the error of what may not follow; None where anything may. A stuck session may still be asked for its state,
            a lost one may only be reset.
        forget_lanes: told where no lane's state is known any more.
    """

    def __init__(self) -> None:
        self.only_reset: SessionError | None = None
        self.forget_lanes: Callable[[], None] = lambda: None

    @property
    def is_lost(self) -> bool:
        """Whether there is no session any more."""
        return isinstance(self.only_reset, SessionLost)

    def check(self, call: Call) -> None:
        """Refuse what may not follow the last failure."""
        stands = self.only_reset
        if stands is None or call.type == messages.RESET:
            return
        if isinstance(stands, SessionLost) or call.type == messages.STEP:
            raise type(stands)(stands.message)

    def note(self, error: OpenEnvError) -> None:
        """Take what a call raised."""
        if isinstance(error, SessionError) and (isinstance(error, SessionLost) or self.only_reset is None):
            self.only_reset = error if isinstance(error, SessionLost | SessionStuck) else None
        elif isinstance(error, StepTimeout) and error.details.get("started", True):
            self.lose_track(TIMED_OUT)

    def lose_track(self, why: str) -> None:
        """Let nothing but a reset follow; where there are lanes, each has to be."""
        self.only_reset = SessionStuck(why)
        self.forget_lanes()

    def lose(self, why: str) -> None:
        """Note that the session has ended."""
        self.only_reset = SessionLost(why)

    def done(self, call: Call) -> None:
        """Note that a call succeeded."""
        if call.type == messages.RESET:
            self.only_reset = None

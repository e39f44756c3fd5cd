"""The message types of the protocol, and a request once it has been read."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

RESET: Final = "reset"
STEP: Final = "step"
STATE: Final = "state"
CLOSE: Final = "close"
OBSERVATION: Final = "observation"
ERROR: Final = "error"

REQUEST_TYPES: Final = frozenset({RESET, STEP, STATE, CLOSE})
REPLY_TYPE: Final = {RESET: OBSERVATION, STEP: OBSERVATION, STATE: STATE}
"""The type of the reply that each request gets when nothing goes wrong."""

DEFAULT_MAX_MESSAGE_BYTES: Final = 100 * 1024 * 1024
"""Largest message either side takes unless told otherwise; the published client's limit."""


class Request(NamedTuple):
    """What a client asks for.

    Attributes:
        type: one of `REQUEST_TYPES`.
        data: the arguments of a reset or the fields of an action; None where the type has none.
        timeout_s: seconds the environment is told that the caller will wait; None for no word of it.
    """

    type: str
    data: dict[str, Any] | None = None
    timeout_s: float | None = None

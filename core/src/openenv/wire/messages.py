"""The message types of the protocol, and a request once it has been read."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

RESET: Final = "reset"
STEP: Final = "step"
STATE: Final = "state"
RENDER: Final = "render"
TASKS: Final = "tasks"
METADATA: Final = "metadata"
PAGE: Final = "page"
LANES: Final = "lanes"
MCP: Final = "mcp"
TOOLS: Final = "tools"
"""As `MCP`, answered as MCP itself words it; for the server's own MCP transport, never on a socket."""

CLOSE: Final = "close"
ACK: Final = "ack"
CANCEL: Final = "cancel"
HELLO: Final = "hello"
OBSERVATION: Final = "observation"
ERROR: Final = "error"

REPLY_TYPE: Final = {
    RESET: OBSERVATION,
    STEP: OBSERVATION,
    **{name: name for name in (STATE, RENDER, TASKS, LANES, MCP)},
}
"""The type of the reply that each request gets when nothing goes wrong."""

V1_REQUESTS: Final = frozenset({RESET, STEP, STATE, MCP, CLOSE})
NUMBERED: Final = frozenset({RESET, STEP, STATE, RENDER, TASKS, LANES, MCP})
"""The requests of version 2 that carry an `id` and get a reply."""

OF_TOOLS: Final = frozenset({MCP, TOOLS})
"""The requests that an agent may make."""

IN_PRODUCTION: Final = OF_TOOLS | {METADATA}
"""All that there are where a server controls no episodes."""

OF_LANES: Final = frozenset({RESET, STEP, STATE})
"""Those that may name `lanes`; their `data` is then a list, one entry a lane, and so is that of their reply."""

DISABLED: Final = "disabled"
NEXT_STEP: Final = "next_step"
SAME_STEP: Final = "same_step"
AUTORESET: Final = (DISABLED, NEXT_STEP, SAME_STEP)
"""What follows an episode's end on a lane (Gymnasium's `AutoresetMode`)."""

CLOSE_PROTOCOL: Final = 1002
CLOSE_UNKNOWN: Final = 4404
CLOSE_REPLACED: Final = 4409
"""Codes that end a socket: a message out of place, a session that is not there, a newer socket of the same session."""

SESSION_HEADER: Final = "X-OpenEnv-Session"
NEW_SESSION: Final = "new"
"""The HTTP header that names a session, and its value that asks a reset for one of the caller's own, never the default."""

AGENT_SESSION_HEADER: Final = "Mcp-Session-Id"
"""The HTTP header by which an MCP client names its session."""

MAX_IN_FLIGHT: Final = 64
"""How many requests of a session may be unacknowledged at once."""

DEFAULT_MAX_MESSAGE_BYTES: Final = 100 * 1024 * 1024
"""Largest message either side takes unless told otherwise; the published client's limit."""


class Request(NamedTuple):
    """What a client asks for.

    Attributes:
        type: one of `V1_REQUESTS` or `NUMBERED`.
        data: the arguments of a reset or the fields of an action; None where the type has none.
        timeout_s: seconds the environment is told that the caller will wait; None for no word of it.
        strict: a reset argument that the environment does not take is an error, rather than ignored.
        lanes: which lanes `data` has an entry for, in its order; None for a request of one environment.
        autoreset: one of `AUTORESET`.
        continues: a reset that followed an episode's end by itself.
    """

    type: str
    data: Any = None
    timeout_s: float | None = None
    strict: bool = False
    lanes: list[int] | None = None
    autoreset: str = DISABLED
    continues: bool = False

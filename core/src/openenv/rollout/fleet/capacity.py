"""How many sessions a server takes at once."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import closing
from typing import Any

from ...client.address import address
from ...client.connecting import FAILURES
from ...client.transport import Options
from ...wire import messages
from ...wire.json_codec import JSON

GREETING_TIMEOUT_S = 10.0


def told_capacity(url: str, headers: Mapping[str, str]) -> int | None:
    """Return how many sessions a server says that it takes, or None where it does not say.

    A server of this package says it in its greeting, which takes no slot; one of the published package says nothing.
    """
    from websockets.exceptions import ConnectionClosed

    from ...client.websocket import WebSocketEndpoint

    endpoint = WebSocketEndpoint(address(url).websocket, Options(headers=headers))
    try:
        socket, stack = endpoint.connect_blocking([JSON.subprotocol])
        with closing(stack):
            if socket.subprotocol != JSON.subprotocol:
                return None
            greeting: Any = JSON.load(socket.receive(time.monotonic() + GREETING_TIMEOUT_S))
    except (*FAILURES, ConnectionClosed, ValueError):
        return None
    if not isinstance(greeting, dict) or greeting.get("type") != messages.HELLO:
        return None
    lanes = greeting.get("data", {}).get("limits", {}).get("lanes")
    return lanes if type(lanes) is int and lanes > 0 else None

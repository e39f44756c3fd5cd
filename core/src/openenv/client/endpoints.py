"""The transports that a client can be told to take, each loaded when it is."""

from __future__ import annotations

from collections.abc import Callable

from .address import address
from .transport import Endpoint, Options


def _websocket(url: str, options: Options) -> Endpoint:
    from .websocket import WebSocketEndpoint

    return WebSocketEndpoint(address(url).websocket, options)


def _http(url: str, options: Options) -> Endpoint:
    from .http import HttpEndpoint

    return HttpEndpoint(address(url).http, options)


ENDPOINTS: dict[str, Callable[[str, Options], Endpoint]] = {"websocket": _websocket, "http": _http}

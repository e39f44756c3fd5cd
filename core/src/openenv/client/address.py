"""Where a server is, as its users write it."""

from __future__ import annotations

import ipaddress
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit, urlunsplit

from ..errors import UsageError

_PLAIN = {"http": "http", "ws": "http", "https": "https", "wss": "https"}
_SOCKET = {"http": "ws", "https": "wss"}


class Address(NamedTuple):
    """A server's two faces: `http://host:8000` and `ws://host:8000/ws`."""

    http: str
    websocket: str


def address(base_url: str) -> Address:
    """Return the address that a base URL names; `ws://` and a trailing `/ws` are taken too, and no scheme means `http`.

    Raises:
        UsageError: it names no host, or its scheme is none of http, https, ws, wss.
    """
    written = str(base_url).strip()
    parts = urlsplit(written if "://" in written else f"http://{written}")
    scheme = _PLAIN.get(parts.scheme)
    if scheme is None or not parts.hostname or " " in written or not _has_port(parts):
        raise UsageError(f"{base_url!r} is not a server's address: write http://host:port")
    path = parts.path.rstrip("/").removesuffix("/ws")
    plain = urlunsplit((scheme, parts.netloc, path, "", ""))
    return Address(plain, urlunsplit((_SOCKET[scheme], parts.netloc, f"{path}/ws", "", "")))


def _has_port(parts: SplitResult) -> bool:
    try:
        return parts.port is None or parts.port > 0
    except ValueError:
        return False


def is_address(text: str) -> bool:
    """Return whether a text is a server's address and no other name: it has a scheme, or is `host:port` of this machine."""
    return "://" in text or (":" in text and "/" not in text and is_loopback(f"http://{text}"))


def is_loopback(url: str) -> bool:
    """Return whether a URL names this machine, which no proxy can reach."""
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def convert_to_ws_url(url: str) -> str:
    """Return a server's address with the scheme that its sockets have: `ws://host:port` for `http://host:port`."""
    return address(url).websocket.removesuffix("/ws")

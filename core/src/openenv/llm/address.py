"""Where a model's endpoint is."""

from __future__ import annotations

from urllib.parse import urlsplit


def base_url(endpoint: str, port: int | None) -> str:
    """Return an endpoint's URL with its port, without a slash at its end.

    Raises:
        ValueError: it is no http(s) URL, or names another port than `port`.
    """
    parts = urlsplit(endpoint)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"invalid endpoint URL {endpoint!r}: expected an http:// or https:// URL")
    if port is not None and parts.port not in (None, port):
        raise ValueError(f"the endpoint {endpoint!r} names port {parts.port} itself, which conflicts with port={port}")
    place = parts.netloc if port is None or parts.port is not None else f"{parts.netloc}:{port}"
    return parts._replace(netloc=place).geturl().rstrip("/")

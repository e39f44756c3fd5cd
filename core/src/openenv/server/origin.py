"""Whether a request comes from a page of another site."""

from __future__ import annotations

from urllib.parse import urlsplit


def is_foreign(origin: str | None, host: str | None) -> bool:
    """Return whether an `Origin` header names another host than the `Host` header; programs send no origin at all."""
    return bool(origin) and urlsplit(origin).netloc != host

"""The names that container images may have."""

from __future__ import annotations

import re

from ..errors import UsageError

_PART = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_HOST = r"(?:localhost|[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+|[A-Za-z0-9.-]+(?=:)|\[[0-9a-fA-F:]+\])(?::[0-9]+)?"
_PATH = rf"(?:{_HOST}/)?{_PART}(?:/{_PART})*"
_TAG = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"
_NAME = re.compile(rf"(?P<path>{_PATH})(?::{_TAG})?", re.ASCII)
LONGEST = 255
"""Characters of a name without its tag."""

HUB = "docker.io"
"""Where images come from whose names have no registry."""


def image_name(given: str) -> str:
    """Return an image's name, `my_game-env:1.0` or `ghcr.io/me/my_game-env`, where an engine takes it.

    Raises:
        UsageError: no engine does.
    """
    found = _NAME.fullmatch(given)
    if found is None or len(found["path"]) > LONGEST:
        told = "small letters and digits with . _ - between them, and one tag after a colon, such as my_game-env:1.0"
        raise UsageError(f"{given!r:.80} is no name of an image: it has {told}")
    return given


def image_at(registry: str, image: str) -> str:
    """Return an image's name at a registry: `ghcr.io/me/echo-env:latest` for `ghcr.io/me`, and a whole name as it is.

    Raises:
        UsageError: it is no registry's name.
    """
    given = registry.strip().removesuffix("/")
    host, slash, path = given.rpartition("/")
    name = given if slash and host and ":" in path else f"{given}/{image}"
    if not given or not _NAME.fullmatch(name):
        raise UsageError(f"--registry {registry!r}: give a host and a path in small letters, such as ghcr.io/me")
    return name


def registry_of(image: str) -> str:
    """Return the registry that an image's name names."""
    host, slash, _ = image.partition("/")
    return host if slash and (host == "localhost" or "." in host or ":" in host) else HUB

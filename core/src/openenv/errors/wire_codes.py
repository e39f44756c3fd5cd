"""The errors' codes on the wire."""

from __future__ import annotations

from typing import Any

from . import busy, environment, request, session
from .error import OpenEnvError

_CLASSES: dict[str, type[OpenEnvError]] = {
    kind.code: kind
    for module in (request, environment, session, busy)
    for kind in vars(module).values()
    if isinstance(kind, type) and issubclass(kind, OpenEnvError) and "code" in vars(kind) and kind.code is not None
}


def from_code(code: str, message: str, **details: Any) -> OpenEnvError:
    """Return the error that a code on the wire stands for; an unknown code gives a plain `OpenEnvError`."""
    kind = _CLASSES.get(code)
    if kind is None:
        return OpenEnvError(f"{code}: {message}", **details)
    return kind(message, **details)


def codes() -> dict[str, type[OpenEnvError]]:
    """Return every code of the wire with its class."""
    return dict(_CLASSES)

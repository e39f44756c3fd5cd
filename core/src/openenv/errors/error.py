"""What all errors of this package have."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar


class OpenEnvError(RuntimeError):
    """Base of all errors of this package.

    Attributes:
        code: the error's code on the wire, or None for what never travels.
        retryable: whether the same call may succeed later with nothing else changed.
        details: what the sender added to the message (validation errors, exit codes, …).
    """

    code: ClassVar[str | None] = None
    retryable: ClassVar[bool] = False

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self.details = details

    def __reduce__(self) -> tuple[Any, ...]:
        return (_rebuild, (type(self), self.message, self.details))


def _rebuild(kind: type[OpenEnvError], message: str, details: dict[str, Any]) -> OpenEnvError:
    if kind.__init__ is OpenEnvError.__init__:
        return kind(message, **details)
    builtin: Any = kind
    while issubclass(builtin, OpenEnvError):
        builtin = builtin.__base__  # the one that lays the object out: of several, `kind.__new__` may find another's
    error: OpenEnvError = builtin.__new__(kind)
    OpenEnvError.__init__(error, message, **details)
    return error


def detail(name: str) -> Callable[[OpenEnvError], Any]:
    """Return what reads one of an error's details, None where the sender did not tell it."""
    return lambda error: error.details.get(name)

"""What threads print whose program is interrupted: nothing, since the thread that was interrupted says it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from ...errors import OpenEnvError

INTERRUPTED = "interrupted"
"""The detail of an error that says: its fleet was closed because the program was interrupted."""


def is_interrupt(kind: type[BaseException] | None) -> bool:
    """Return whether an exception ends the program because somebody wants it to end, by Ctrl-C or by `sys.exit`."""
    return kind is not None and issubclass(kind, KeyboardInterrupt | SystemExit)


def hush() -> None:
    """Let threads end without a traceback by an error that has the detail; what else they end by is told as before."""
    if not isinstance(threading.excepthook, _Hushed):
        threading.excepthook = _Hushed(threading.excepthook)


class _Hushed:
    def __init__(self, before: Callable[[threading.ExceptHookArgs], Any]) -> None:
        self._before = before

    def __call__(self, ended: threading.ExceptHookArgs) -> None:
        error = ended.exc_value
        if not (isinstance(error, OpenEnvError) and error.details.get(INTERRUPTED)):
            self._before(ended)

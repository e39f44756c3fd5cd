"""A server that ends with the one that started it."""

from __future__ import annotations

import os
import signal
import threading

STOP_WITHIN_S = 30.0
"""A server whose parent is gone and that has not stopped by then is stuck, and ends at once."""


def stop_with(descriptor: int) -> None:
    """Stop this process, as SIGTERM would, once a pipe ends, which it does however the holder of its other end ended."""
    threading.Thread(target=_wait, args=(descriptor,), name="openenv-stop", daemon=True).start()


def _wait(descriptor: int) -> None:
    while os.read(descriptor, 4096):
        pass
    signal.raise_signal(signal.SIGTERM)
    threading.Event().wait(STOP_WITHIN_S)
    os._exit(1)

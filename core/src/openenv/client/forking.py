"""Which process this is, for connections that a fork copies."""

from __future__ import annotations

import os


class Process:
    """Which process this is: asked of the system once, and again in a forked child."""

    def __init__(self) -> None:
        self.number = os.getpid()


PROCESS = Process()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=PROCESS.__init__)  # type: ignore[misc]

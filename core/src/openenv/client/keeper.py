"""The thread that comes back to blocking clients' sessions while nobody calls them."""

from __future__ import annotations

import logging
import os
import threading
import weakref
from typing import Protocol

logger = logging.getLogger("openenv.client")

LOOK_EVERY_S = 2.0


class Kept(Protocol):
    """A session that can be lost while idle."""

    def keep(self) -> None:
        """Come back if need be; must not wait for calls under way."""


class Keeper:
    """Looks after sessions every few seconds, for as long as there are any."""

    def __init__(self) -> None:
        self._kept: weakref.WeakSet[Kept] = weakref.WeakSet()
        self._turn = threading.RLock()
        self._thread: threading.Thread | None = None

    def watch(self, session: Kept) -> None:
        """Look after a session from now on."""
        with self._turn:
            self._kept.add(session)
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="openenv-keeper", daemon=True)
                self._thread.start()

    def forget(self, session: Kept) -> None:
        """Look after it no more."""
        with self._turn:
            self._kept.discard(session)

    def _run(self) -> None:
        while True:
            threading.Event().wait(LOOK_EVERY_S)
            with self._turn:
                sessions = list(self._kept)
                if not sessions:
                    self._thread = None
                    return
            for session in sessions:
                try:
                    session.keep()
                except Exception:
                    logger.exception("a lost session could not be looked after")
            del sessions


KEEPER = Keeper()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=KEEPER.__init__)  # type: ignore[misc]

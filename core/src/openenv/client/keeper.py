"""The threads that look after blocking clients' sessions while nobody calls them."""

from __future__ import annotations

import logging
import os
import threading
import weakref
from collections.abc import Callable
from typing import Protocol

logger = logging.getLogger("openenv.client")

LOOK_EVERY_S = 2.0

MOST_COMING_BACK = 8
"""Threads that come back to lost sessions at a time; the other lost ones wait for their turn."""


class Kept(Protocol):
    """A session that can be lost while idle."""

    def keep(self) -> Callable[[], None] | None:
        """Answer and send pings, if nobody calls now. Waits for nothing.

        Returns what comes back to the session where its socket is lost; that may take a second or so.
        """


class Keeper:
    """Looks after sessions every few seconds, for as long as there are any.

    One thread looks up all of them; those that are lost are left to others, so that no ping waits for a server that is gone.
    """

    def __init__(self) -> None:
        self._kept: weakref.WeakSet[Kept] = weakref.WeakSet()
        self._turn = threading.RLock()
        self._thread: threading.Thread | None = None
        self._lost: dict[Kept, Callable[[], None]] = {}
        self._coming_back = 0

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
            self._lost.pop(session, None)

    def _run(self) -> None:
        while True:
            threading.Event().wait(LOOK_EVERY_S)
            with self._turn:
                sessions = list(self._kept)
                if not sessions:
                    self._thread = None
                    return
            while sessions:
                self._look_after(sessions.pop())

    def _look_after(self, session: Kept) -> None:
        try:
            come_back = session.keep()
            if come_back is None:
                return
            with self._turn:
                self._lost.setdefault(session, come_back)
                if self._coming_back < MOST_COMING_BACK:
                    threading.Thread(target=self._come_back, name="openenv-coming-back", daemon=True).start()
                    self._coming_back += 1
        except Exception:
            logger.exception("a session could not be looked after")

    def _come_back(self) -> None:
        """Turn to the lost sessions one after another, the longest lost first, until none is left."""
        while True:
            with self._turn:
                if not self._lost:
                    self._coming_back -= 1
                    return
                come_back = self._lost.pop(next(iter(self._lost)))
            try:
                come_back()
            except Exception:
                logger.exception("a lost session could not be reached again")
            del come_back


KEEPER = Keeper()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=KEEPER.__init__)  # type: ignore[misc]

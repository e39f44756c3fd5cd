"""Whether the servers of a swarm run, for those who do not wait for the engine's answer."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Sequence

from ...errors import LaunchError
from .replica import Replica

LOOK_EVERY_S = 0.5


class Watch:
    """Looks after replicas from a thread, until ended.

    Args:
        replicas: all of which run when it begins.

    Attributes:
        all_run: whether each had a container that had not ended, when the engine said so last.
    """

    def __init__(self, replicas: Sequence[Replica]) -> None:
        self.all_run = True
        self._replicas = replicas
        self._ended = threading.Event()
        threading.Thread(target=self._look, name="openenv-swarm-watch", daemon=True).start()

    def end(self) -> None:
        """Look no more."""
        self._ended.set()

    def _look(self) -> None:
        while not self._ended.wait(LOOK_EVERY_S):
            with contextlib.suppress(LaunchError):  # the engine does not answer, which says nothing of the servers
                self.all_run = all(replica.is_running() for replica in self._replicas)

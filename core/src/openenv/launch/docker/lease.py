"""What tells a server that its starter lives."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable

from ...errors import LaunchError

VARIABLE = "OPENENV_UNUSED_TIMEOUT_S"
"""How a server of this package is told how long it may lie unused."""

ASKED_FOR = "/metadata"
"""Counts as use of the server, which its health does not."""

RENEWALS = 4
"""So many renewals fit into a lease, so that a slow one does not end it."""


class Lease:
    """Renews a server's lease from a thread, until ended or until this process is gone.

    Args:
        url: of the server, or what tells it, where it may change.
        lease_s: how long it lives without.
    """

    def __init__(self, url: str | Callable[[], str], lease_s: float) -> None:
        self._ended = threading.Event()
        arguments = (self._ended, (lambda: url) if isinstance(url, str) else url, lease_s / RENEWALS)
        threading.Thread(target=_renew, args=arguments, name="openenv-lease", daemon=True).start()

    def end(self) -> None:
        """Renew it no more."""
        self._ended.set()


def _renew(ended: threading.Event, url: Callable[[], str], pause_s: float) -> None:
    import httpx

    with httpx.Client(trust_env=False, timeout=min(pause_s, 10.0)) as http:
        while not ended.wait(pause_s):
            with contextlib.suppress(httpx.HTTPError, LaunchError):
                http.get(url() + ASKED_FOR)

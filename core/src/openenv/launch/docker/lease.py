"""What tells a server that its starter lives."""

from __future__ import annotations

import contextlib
import threading

VARIABLE = "OPENENV_UNUSED_TIMEOUT_S"
"""How a server of this package is told how long it may lie unused."""

ASKED_FOR = "/metadata"
"""Counts as use of the server, which its health does not."""

RENEWALS = 4
"""So many renewals fit into a lease, so that a slow one does not end it."""


class Lease:
    """Renews a server's lease from a thread, until ended or until this process is gone.

    Args:
        url: of the server.
        lease_s: how long it lives without.
    """

    def __init__(self, url: str, lease_s: float) -> None:
        self._ended = threading.Event()
        arguments = (self._ended, f"{url}{ASKED_FOR}", lease_s / RENEWALS)
        threading.Thread(target=_renew, args=arguments, name="openenv-lease", daemon=True).start()

    def end(self) -> None:
        """Renew it no more."""
        self._ended.set()


def _renew(ended: threading.Event, url: str, pause_s: float) -> None:
    import httpx

    with httpx.Client(trust_env=False, timeout=min(pause_s, 10.0)) as http:
        while not ended.wait(pause_s):
            with contextlib.suppress(httpx.HTTPError):
                http.get(url)

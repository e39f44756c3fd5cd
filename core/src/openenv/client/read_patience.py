"""How long a read of a blocking socket waits."""

from __future__ import annotations

import socket
import struct

TIMEVALS = {8: "=ll", 16: "=qq"}
"""Seconds and microseconds as a system takes them for `SO_RCVTIMEO`, by how many bytes that has there."""


class ReadPatience:
    """Lets the system do the waiting where it can, which saves a system call for each read.

    Attributes:
        is_the_systems: whether it does; else Python waits itself, as it has to for TLS.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._timeval = _timeval_of(sock)
        self._seconds = -1.0
        self.is_the_systems = self._timeval is not None

    def set(self, seconds: float) -> None:
        """Let the next read wait for so long, where that has changed: a system call for it costs as much as one to read."""
        if seconds == self._seconds:
            return
        self._seconds = seconds
        if self._timeval is not None:
            timeval = struct.pack(self._timeval, *divmod(max(1, int(seconds * 1e6)), 1_000_000))
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, timeval)
        else:
            self._socket.settimeout(seconds)

    def restore(self) -> None:
        """Put things right after the socket's own timeout was used for something else."""
        if self._timeval is None:
            self._seconds = -1.0
        else:
            self._socket.settimeout(None)


def _timeval_of(sock: socket.socket) -> str | None:
    """Return how to write for the system how long a read may wait; None where it cannot be told."""
    if type(sock) is not socket.socket:
        return None
    return TIMEVALS.get(len(sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, 16)))

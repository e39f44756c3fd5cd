"""The worker processes of a server as one of them sees the others."""

from __future__ import annotations

from pathlib import Path
from zlib import crc32

from starlette.types import Scope

from ...sessions.worker_names import place_of, worker_of


def neighbours_of(scope: Scope) -> Neighbours | None:
    """Return the other worker processes of what serves a call, if it is one of several."""
    return getattr(scope["app"].state, "neighbours", None)


class Neighbours:
    """Where sessions live that are not this worker's own.

    Args:
        name: of this worker.
        workers: how many there are.
        folder: holds a socket for each place; only this user can enter it.
    """

    def __init__(self, name: str, workers: int, folder: Path) -> None:
        self.name = name
        self._place = place_of(name)
        self._workers = workers
        self._folder = folder

    @property
    def own_address(self) -> Path:
        """The socket of this worker's place."""
        return self._address(self._place)

    def of_session(self, session_id: str) -> Path | None:
        """Return the socket of the worker that a session's id names; None: it names none, or this one's place."""
        worker = worker_of(session_id)
        return None if worker is None else self._other(place_of(worker))

    def of_default_session(self) -> Path | None:
        """Return the socket of the worker with the default HTTP session; None: it is this one."""
        return self._other(0)

    def of_reset(self, request_id: str) -> Path | None:
        """Return the socket of the worker that opens sessions for resets of this id, so that one said twice opens one."""
        return self._other(crc32(request_id.encode(errors="surrogatepass")) % self._workers)

    def _other(self, place: int) -> Path | None:
        return None if place == self._place or place >= self._workers else self._address(place)

    def _address(self, place: int) -> Path:
        return self._folder / f"{place}.sock"

"""Names by which agents reach a session's tools."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, NamedTuple

from ..errors import SessionLost
from .worker_names import worker_of

if TYPE_CHECKING:
    from .session import Session


class Grant(NamedTuple):
    """What a name stands for.

    Attributes:
        session: whose tools may be called.
        owned: the session is its agent's own, and ends when the agent says so; else it is of who plays the episode.
    """

    session: Session
    owned: bool


class AgentNames:
    """Names that are the right to call a session's tools, and no more: no reset, step or state can be reached by them.

    Attributes:
        prefix: names begin with it; that of one of several worker processes is told by the ids of its sessions too.
    """

    def __init__(self) -> None:
        self.prefix = ""
        self._grants: dict[str, Grant] = {}

    def add(self, session: Session, *, owned: bool) -> str:
        """Return a new name for a session."""
        for name in [name for name, grant in self._grants.items() if grant.session.ended]:
            del self._grants[name]
        name = self.prefix + secrets.token_urlsafe(24)
        self._grants[name] = Grant(session, owned)
        return name

    def get(self, name: object) -> Grant:
        """Return what a name stands for. Raises `SessionLost` where it stands for nothing, or the session has ended."""
        grant = self._grants.get(name) if isinstance(name, str) else None
        if grant is None or grant.session.ended:
            raise self.lost(name)
        return grant

    def lost(self, name: object) -> SessionLost:
        """Return what to say of a name that stands for nothing."""
        told = f"Unknown session_id: {name}"
        worker = worker_of(name) if self.prefix and isinstance(name, str) else None
        if worker is not None and self.prefix != f"{worker}.":
            told += f" (worker process {worker}, in which it lived, is no more)"
        return SessionLost(told)

    def forget(self, name: str) -> None:
        """Let a name stand for nothing."""
        self._grants.pop(name, None)

"""One session's place at a server, and the episodes that are played there."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from ...client.transport import Call
from ...errors import EnvironmentCrashed, OpenEnvError, SessionLost
from ...wire import messages
from .account import Account
from .events import FleetEvent
from .server import Server, ServerState

ENDED_ALONE = (SessionLost, EnvironmentCrashed)
"""Errors of a call that say that its episode is gone."""

NO_AUTORESET = "disabled"


class Seat:
    """Counts what becomes of a session and of its episodes, each exactly once.

    The session is used in one thread, its server is watched in another: whichever learns first of an end counts it.

    Args:
        number: of the session in its fleet.
        server: where it is.
        count: how many of the server's slots it has.
        account: where it is counted.
        tell: told of episodes that are lost; may be called in any thread.
    """

    def __init__(self, number: int, server: Server, count: int, account: Account, tell: Callable[[FleetEvent], None]) -> None:
        self.number = number
        self.server = server
        self.count = count
        self._account = account
        self._tell = tell
        self._turn = threading.Lock()
        self._episodes: dict[int, str | None] = {}
        self._begins_by_itself = False
        self._connected = False
        self._interrupt: Callable[[SessionLost], None] | None = None
        self.lost: SessionLost | None = None

    @property
    def episodes(self) -> int:
        """How many episodes go on here."""
        return len(self._episodes)

    def connect(self, interrupt: Callable[[SessionLost], None] | None) -> None:
        """Note that the session is open.

        Args:
            interrupt: ends calls that wait; may be called from any thread. None where they cannot be ended.

        Raises:
            SessionLost: its server is gone by now.
        """
        with self._turn:
            self._check_lost()
            self._connected, self._interrupt = True, interrupt
        self._account.count_session(begun=1)

    def check(self, call: Call) -> None:
        """Raise `SessionLost` for a call that cannot be made here: the server is gone, or does not begin episodes any more."""
        self._check_lost()
        if self.server.state is ServerState.DRAINING and self.begins_anew(call):
            raise SessionLost(f"{self.server.name} is about to be stopped: the next episode begins on another server")

    def begins_anew(self, call: Call) -> bool:
        """Return whether a call begins every episode of the session anew, so that it may as well be made elsewhere."""
        return call.type == messages.RESET and (call.lanes is None or len(call.lanes) == self.count)

    def note(self, call: Call, data: Any) -> None:
        """Take a reply. Raises `SessionLost` where its episode was reported as lost before it came."""
        if call.type == messages.STEP and call.lanes is None and not data.get("done"):
            self._check_lost()
            return
        with self._turn:
            self._check_lost()
            if call.type == messages.LANES:
                self._begins_by_itself = call.payload.get("autoreset", NO_AUTORESET) != NO_AUTORESET
            elif call.type in (messages.STEP, messages.RESET):
                lanes = [0] if call.lanes is None else call.lanes
                entries = [data] if call.lanes is None else data
                given = [call.payload] if call.lanes is None else call.payload
                for lane, arguments, entry in zip(lanes, given, entries, strict=True):
                    self._note(call.type, lane, arguments, entry)

    def _check_lost(self) -> None:
        if self.lost is not None:
            raise _again(self.lost)

    def _note(self, kind: str, lane: int, arguments: Any, entry: Any) -> None:
        error = entry.get("error")
        if error is not None and "observation" not in entry:
            if error.get("code") == EnvironmentCrashed.code:
                self._lose_one(lane, str(error.get("message")))
            return
        done = bool(entry.get("done"))
        if kind == messages.RESET:
            self._began(lane, arguments.get("episode_id") if isinstance(arguments, dict) else None)
        elif self._begins_by_itself and not done and lane not in self._episodes:
            self._began(lane, None)
        if done and lane in self._episodes:
            del self._episodes[lane]
            self._account.count_episodes(finished=1)
            if "final" in entry:
                self._began(lane, None)

    def _began(self, lane: int, episode_id: str | None) -> None:
        abandoned = lane in self._episodes
        self._episodes[lane] = episode_id
        self._account.count_episodes(begun=1, abandoned=int(abandoned))

    def failed(self, error: OpenEnvError) -> OpenEnvError:
        """Take what a call raised; return what to raise."""
        if self.lost is not None:
            return error if error is self.lost else _again(self.lost)
        if isinstance(error, SessionLost):
            self._lose_all(error)
        elif isinstance(error, EnvironmentCrashed):
            with self._turn:
                self._lose_one(0, error.message)
        return error

    def lose(self, error: SessionLost, *, abandoned: bool = False) -> None:
        """End the session: its calls, now and later, raise `error`. Waits for nothing.

        Args:
            error: what to say.
            abandoned: count its episodes as abandoned rather than as lost.
        """
        if abandoned:
            self._abandon_all()
        self._lose_all(error)
        if self._interrupt is not None:
            self._interrupt(error)

    def leave(self) -> None:
        """Count the session's end by its client; one that was lost has been counted."""
        self._abandon_all()
        with self._turn:
            connected, self._connected = self._connected, False
        if connected:
            self._account.count_session(ended=1)

    def _abandon_all(self) -> None:
        with self._turn:
            count = len(self._episodes)
            self._episodes.clear()
        if count:
            self._account.count_episodes(abandoned=count)

    def _lose_all(self, error: SessionLost) -> None:
        with self._turn:
            if self.lost is not None:
                return
            self.lost = error
            connected, self._connected = self._connected, False
            episodes, self._episodes = self._episodes, {}
            self._account.count_session(lost=int(connected))
            self._account.count_episodes(lost=len(episodes))
        for lane, episode_id in episodes.items():
            self._tell_lost(lane, episode_id, error.message)

    def _lose_one(self, lane: int, why: str) -> None:
        if lane in self._episodes:
            episode_id = self._episodes.pop(lane)
            self._account.count_episodes(lost=1)
            self._tell_lost(lane, episode_id, why)

    def _tell_lost(self, lane: int, episode_id: str | None, why: str) -> None:
        of = f"episode {episode_id!r}" if episode_id else "an episode"
        where = f"session {self.number}" + (f", lane {lane}" if self.count > 1 else "")
        message = f"{of} of {where} on {self.server.name} is lost: {why}"
        url = self.server.url
        self._tell(FleetEvent("lost", message, self.server.name, url, self.number, lane, episode_id))


def _again(lost: SessionLost) -> SessionLost:
    return SessionLost(lost.message, **lost.details)

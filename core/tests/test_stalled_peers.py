"""Peers that take nothing any more: whoever calls, closes or interrupts goes on all the same."""

from __future__ import annotations

import _thread
import json
import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from typing import Any

import pytest
from blocking_server import blocking_server
from cutting_proxy import DOWN, UP, Cut, Fault, cutting_proxy
from deaf_peer import GOODBYE, GREETING, GREETING_AGAIN, deaf_peer, said
from journal import Journal
from playing import Player
from serving import running, wait_until
from websockets.sync.server import ServerConnection

from openenv.errors import StepTimeout
from openenv.server import create_app

_names = count()

SILENT: dict[str, Any] = {"websocket_ping_interval_s": None, "websocket_ping_timeout_s": None}

MORE_THAN_BUFFERS_TAKE = 14_000_000


@pytest.fixture(params=[True, False], ids=["awaited", "blocking"])
def awaited(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
def name() -> str:
    """The name of an episode that no other test has."""
    return f"stalled-{next(_names)}"


@contextmanager
def interrupting() -> Iterator[None]:
    """Press Ctrl-C, so to say, after a moment in which what follows has begun."""
    timer = threading.Timer(1.0, signal.pthread_kill, (threading.get_ident(), signal.SIGINT))
    timer.start()
    try:
        yield
    finally:
        timer.join()


@pytest.mark.parametrize("speaks_v2", [True, False], ids=["v2", "v1"])
@pytest.mark.parametrize("waits", ["system", "python"])
def test_short_messages_that_nobody_takes_hold_nobody_up(speaks_v2: bool, waits: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Until the buffers are full they leave without anybody's help; after that the connection is given up for another."""
    monkeypatch.setattr("openenv.client.blocking_resumable.GRACE_S", 0.0)
    if waits == "python":
        monkeypatch.setattr("openenv.client.read_patience.TIMEVALS", {})
    words = (GREETING, GREETING_AGAIN) if speaks_v2 else (b"",)
    with deaf_peer(*words, speaks_v2=speaks_v2) as peer, Player(peer.url, awaited=False, **SILENT) as player:
        for _ in range(300):
            with pytest.raises(StepTimeout):
                player.reset("x" * 60_000, timeout_s=0.02)
            if peer.connections > 1:
                break
        assert peer.connections > 1


def test_a_peer_that_says_goodbye_and_stays_is_left(awaited: bool) -> None:
    reply = said("observation", 1, observation={"number": 7, "written": [], "padding": ""}, reward=1.0, done=False)
    with (
        deaf_peer(GREETING, GREETING_AGAIN + reply, answer=GOODBYE) as peer,
        Player(peer.url, awaited=awaited, **SILENT) as player,
    ):
        assert player.reset("x", timeout_s=20).observation.number == 7
        assert peer.connections == 2


def test_what_does_not_leave_is_sent_on_another_connection(awaited: bool, name: str) -> None:
    pings = {"websocket_ping_interval_s": 0.5, "websocket_ping_timeout_s": 1.0}
    with (
        running(create_app(Journal)) as url,
        cutting_proxy(url) as proxy,
        Player(proxy.url, awaited=awaited, **pings) as player,
    ):
        player.reset(name)
        proxy.cut_all(Cut.STALL)
        assert player.step(1, timeout_s=40, padding="x" * MORE_THAN_BUFFERS_TAKE).observation.written == [1]
        assert len(proxy.links) >= 2
    assert Journal.steps[name] == [1]


def test_what_leaves_slowly_is_waited_for(awaited: bool, name: str) -> None:
    """A message that takes several times as long as a ping may, but goes on and on."""
    patience_s = 1.0
    with (
        running(create_app(Journal)) as url,
        cutting_proxy(url) as proxy,
        Player(proxy.url, awaited=awaited, websocket_ping_interval_s=60, websocket_ping_timeout_s=patience_s) as player,
    ):
        player.reset(name)
        for at in range(1, 30):
            proxy.add(Fault(UP, at * 500_000, Cut.DELAY, patience_s / 10))
        assert player.step(1, timeout_s=60, padding="x" * 15_500_000).observation.written == [1]
        assert len(proxy.links) == 1


def test_lost_sessions_hold_up_no_pings(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("openenv.client.keeper.LOOK_EVERY_S", 0.1)
    with ExitStack() as stack:
        url = stack.enter_context(running(create_app(Journal, max_concurrent_envs=20)))
        gone, near = stack.enter_context(cutting_proxy(url)), stack.enter_context(cutting_proxy(url))
        for number in range(12):
            stack.enter_context(Player(gone.url, awaited=False, **SILENT)).reset(f"{name}-{number}")
        healthy = stack.enter_context(Player(near.url, awaited=False, websocket_ping_interval_s=0.05))
        healthy.reset(name)
        gone.then(*([Fault(DOWN, 0, Cut.STALL)] for _ in range(1000)))
        gone.cut_all(Cut.RESET)
        wait_until(lambda: len(gone.links) > 12)
        pings_from = near.links[0].passed[UP]
        wait_until(lambda: near.links[0].passed[UP] >= pings_from + 4 * len(PING))
        gone.lead_to(url)
        gone.script()
        gone.cut_all(Cut.RESET)


PING = b"\x89\x80mask"


def test_an_interrupted_message_leaves_no_half_of_it(name: str) -> None:
    heard: list[Any] = []

    def answer(connection: ServerConnection) -> None:
        for frame in connection:
            heard.append(json.loads(frame)["type"])
            data = {"observation": {"number": len(heard), "written": [], "padding": ""}, "reward": None, "done": False}
            connection.send(json.dumps({"type": "observation", "data": data}))

    with (
        blocking_server(answer, max_size=None) as url,
        cutting_proxy(url) as proxy,
        Player(proxy.url, awaited=False) as player,
    ):
        player.reset(name)
        proxy.cut_all(Cut.STALL)
        with pytest.raises(KeyboardInterrupt), interrupting():
            player.step(1, timeout_s=60, padding="x" * MORE_THAN_BUFFERS_TAKE)
        proxy.release_all()
        assert player.reset(name, timeout_s=10).observation.number == 2
    assert heard[:2] == ["reset", "reset"]


class Interruptible(_thread.RLock):  # type: ignore[misc]  # in truth it may be inherited from
    """A lock in whose `acquire` Ctrl-C is pressed the very moment it is had.

    Attributes:
        at: so many acquisitions from now.
    """

    at = 0

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        had = super().acquire(blocking, timeout)
        if had and threading.current_thread() is threading.main_thread():
            Interruptible.at -= 1
            if Interruptible.at == 0:
                signal.raise_signal(signal.SIGINT)
        return had


@pytest.mark.parametrize("at", [1, 2], ids=["client", "session"])
@pytest.mark.parametrize("version", ["v2", "v1"])
def test_an_interrupt_leaves_no_lock_behind(name: str, at: int, version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threading, "RLock", Interruptible)
    if version == "v1":
        monkeypatch.setattr("openenv.client.websocket.OFFERED", ["another"])
    with running(create_app(Journal)) as url, Player(url, awaited=False) as player:
        player.reset(name)
        Interruptible.at = at
        with pytest.raises(KeyboardInterrupt):
            player.step(1)
        written: list[Any] = []

        def play() -> None:
            player.reset(f"{name}-next", timeout_s=10)
            written.append(player.step(2, timeout_s=10).observation.written)

        thread = threading.Thread(target=play)
        thread.start()
        thread.join()
        assert written == [[2]]

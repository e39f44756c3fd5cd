"""A client whose connection fails: what it does by itself, and what it tells."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count, pairwise
from typing import Any

import pytest
from cutting_proxy import DOWN, UP, Cut, CuttingProxy, Fault, cutting_proxy
from journal import Journal, step_of
from playing import Player
from serving import running, wait_until
from speaking import MSGPACK, speaking

from openenv.client.connecting import Persistence
from openenv.errors import SessionLost, SessionStuck, StepTimeout
from openenv.server import create_app
from openenv.sessions.registry import Registry

_names = count()

IMPATIENT: dict[str, Any] = {"websocket_ping_interval_s": 0.1, "websocket_ping_timeout_s": 0.1}
SILENT: dict[str, Any] = {"websocket_ping_interval_s": None, "websocket_ping_timeout_s": None}


@pytest.fixture(params=[True, False], ids=["awaited", "blocking"])
def awaited(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
def name() -> str:
    """The name of an episode that no other test has."""
    return f"reconnecting-{next(_names)}"


@contextmanager
def behind_proxy(**settings: Any) -> Iterator[tuple[CuttingProxy, Registry]]:
    """Run a server and a proxy before it."""
    app = create_app(Journal, **settings)
    with running(app) as url, cutting_proxy(url) as proxy:
        yield proxy, app.state.registry


def session_named_by(head: bytes) -> str:
    """Return the session that a client's opening handshake asks for."""
    found = re.search(rb"openenv\.session\.([\w-]+)", head)
    assert found is not None, head
    return found[1].decode()


def test_it_comes_back_while_nobody_calls(awaited: bool, name: str) -> None:
    with behind_proxy() as (proxy, registry), Player(proxy.url, awaited=awaited) as player:
        player.reset(name)
        player.step(1)
        for losses, cut in enumerate((Cut.RESET, Cut.FINISH), start=2):
            proxy.cut_all(cut)
            deadline = time.monotonic() + 8
            while len(proxy.links) < losses or proxy.links[-1].passed[DOWN] < 300:
                assert time.monotonic() < deadline, "it did not come back"
                player.rest(0.05)
        assert len(registry) == 1
        assert player.step(2).observation.written == [1, 2]
        assert len(proxy.links) == 3
        for link in proxy.links[1:]:
            assert registry.has(session_named_by(link.head))
            assert link.head.startswith(b"GET /ws HTTP/1.1\r\n")


def test_it_tries_again_less_and_less_often(awaited: bool, name: str) -> None:
    with behind_proxy() as (proxy, _), Player(proxy.url, awaited=awaited) as player:
        player.reset(name)
        proxy.refuse()
        proxy.cut_all(Cut.RESET)
        with pytest.raises(StepTimeout):
            player.step(1, timeout_s=2.0)
        tries = list(proxy.refused)
        proxy.refuse(False)
        pauses = [later - earlier for earlier, later in pairwise(tries)]
        assert 4 <= len(pauses) <= 9
        for number, pause in enumerate(pauses):
            assert 0.02 * 2**number < pause < 0.075 * 2**number + 0.5
        player.reset(f"{name}-next")
        assert player.step(1).observation.written == [1]


def test_pauses_grow_vary_and_begin_anew_after_a_reply() -> None:
    several = [[persistence.pause_s() for _ in range(9)] for persistence in (Persistence("ws://x"), Persistence("ws://x"))]
    for pauses in several:
        assert pauses[0] == 0.0
        assert all(0.025 * 2**number <= pause <= 0.075 * 2**number for number, pause in enumerate(pauses[1:6]))
        assert max(pauses) <= 3.0
        assert min(pauses[7:]) >= 1.0
    assert several[0][1:] != several[1][1:]
    persistence = Persistence("ws://x")
    assert persistence.pause_s() == 0.0
    assert persistence.pause_s() > 0
    persistence.progressed()
    assert persistence.pause_s() == 0.0


def test_beyond_its_window_the_episode_is_gone_and_no_other_begins_by_itself(awaited: bool, name: str) -> None:
    with behind_proxy(resume_window_s=0.4) as (proxy, registry), Player(proxy.url, awaited=awaited) as player:
        player.reset(name)
        proxy.refuse()
        proxy.cut_all(Cut.RESET)
        with pytest.raises(SessionLost, match=r"within 0\.4 s.* its episode is gone: reset\(\) starts another"):
            player.step(1, timeout_s=20)
        proxy.refuse(False)
        wait_until(lambda: len(registry) == 0)
        built = Journal.built
        for _ in range(2):
            with pytest.raises(SessionLost, match="episode"):
                player.step(1)
            with pytest.raises(SessionLost, match="episode"):
                player.state()
        assert (Journal.built, len(registry), Journal.steps[name]) == (built, 0, [])
        assert player.reset(f"{name}-next").observation.written == []
        assert player.step(5).observation.written == [5]


def test_a_restarted_server_has_no_session_to_come_back_to(awaited: bool, name: str) -> None:
    restarted = create_app(Journal)
    with behind_proxy() as (proxy, _), running(restarted) as url, Player(proxy.url, awaited=awaited) as player:
        player.reset(name)
        player.step(1)
        proxy.lead_to(url)
        proxy.cut_all(Cut.RESET)
        for _ in range(2):
            with pytest.raises(SessionLost, match=r"unknown.*restarted"):
                player.step(2)
        assert len(restarted.state.registry) == 0
        player.reset(f"{name}-next")
        assert player.step(3).observation.written == [3]
    assert Journal.steps[name] == [1]


def test_a_session_that_another_takes_over_is_let_go(awaited: bool, name: str) -> None:
    with behind_proxy() as (proxy, registry), Player(proxy.url, awaited=awaited) as player, asyncio.Runner() as runner:
        player.reset(name)
        player.step(1)
        proxy.cut_all(Cut.RESET)
        player.step(2)
        session = session_named_by(proxy.links[-1].head)
        newer = speaking(proxy.url, MSGPACK, session)
        speaker = runner.run(newer.__aenter__())
        links = len(proxy.links)
        for _ in range(2):
            with pytest.raises(SessionLost, match="another connection has taken over"):
                player.step(3)
        player.rest(0.5)
        assert len(proxy.links) == links
        reply = runner.run(speaker.ask("step", 4, step_of(3)))
        assert reply["data"]["observation"]["written"] == [1, 2, 3]
        assert registry.has(session)
        runner.run(newer.__aexit__(None, None, None))


def test_a_try_given_up_too_early_does_not_lose_the_session(awaited: bool, name: str) -> None:
    """Its handshake reaches the server late, takes the session over, and ends at once."""
    with behind_proxy() as (proxy, registry), Player(proxy.url, awaited=awaited, connect_timeout_s=0.3) as player:
        player.reset(name)
        proxy.then([Fault(UP, 0, Cut.DELAY, 1.0)])
        proxy.cut_all(Cut.RESET)
        assert player.step(1).observation.written == [1]
        assert len(proxy.links) == 3
        wait_until(lambda: proxy.links[1].passed[UP] > 0)
        player.rest(0.2)
        assert player.step(2).observation.written == [1, 2]
        assert len(proxy.links) == 4
        assert len(registry) == 1


@pytest.mark.parametrize("pings", [IMPATIENT, SILENT], ids=["pings", "no pings"])
def test_a_short_silence_costs_nothing_but_time(awaited: bool, name: str, pings: dict[str, Any]) -> None:
    with behind_proxy() as (proxy, _), Player(proxy.url, awaited=awaited, **pings) as player:
        player.reset(name)
        proxy.add(Fault(DOWN, 0, Cut.DELAY, 0.05 if pings is IMPATIENT else 0.6))
        assert player.step(1).observation.written == [1]
        assert len(proxy.links) == 1


def test_pings_find_a_connection_that_fell_silent(awaited: bool, name: str) -> None:
    with behind_proxy() as (proxy, _), Player(proxy.url, awaited=awaited, **IMPATIENT) as player:
        player.reset(name)
        proxy.cut_all(Cut.STALL)
        assert player.step(1).observation.written == [1]
        assert len(proxy.links) == 2


def test_a_call_takes_no_longer_than_it_may_on_a_silent_connection(awaited: bool, name: str) -> None:
    with behind_proxy() as (proxy, registry), Player(proxy.url, awaited=awaited, **SILENT) as player:
        player.reset(name)
        player.step(1)
        proxy.cut_all(Cut.STALL)
        asked_at = time.monotonic()
        with pytest.raises(StepTimeout, match=r"reset\(\)"):
            player.step(2, timeout_s=0.3)
        assert 0.3 <= time.monotonic() - asked_at < 2
        with pytest.raises(SessionStuck):
            player.step(3)
        proxy.release_all()
        assert player.reset(f"{name}-next").observation.written == []
        for number in (4, 5):
            assert player.step(number).observation.number == number
        assert (Journal.steps[f"{name}-next"], len(registry)) == ([4, 5], 1)
    assert Journal.steps[name] in ([1], [1, 2])


@pytest.mark.parametrize("at", [0, 60, 300])
def test_a_call_takes_no_longer_than_it_may_while_the_connection_comes_back(awaited: bool, name: str, at: int) -> None:
    with behind_proxy() as (proxy, registry), Player(proxy.url, awaited=awaited, **SILENT) as player:
        player.reset(name)
        proxy.then([Fault(DOWN, at, Cut.DELAY, 1.9)])
        proxy.cut_all(Cut.RESET)
        asked_at = time.monotonic()
        with pytest.raises(StepTimeout):
            player.step(1, timeout_s=0.3)
        assert time.monotonic() - asked_at < 1.7
        session = session_named_by(proxy.links[1].head)
        assert player.reset(f"{name}-next", timeout_s=20).observation.written == []
        assert player.step(2).observation.written == [2]
        assert registry.has(session)
        assert len(registry) == 1


def test_a_greeting_that_comes_too_late_does_not_end_the_session(
    awaited: bool, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with behind_proxy() as (proxy, registry), Player(proxy.url, awaited=awaited) as player:
        player.reset(name)
        monkeypatch.setattr("openenv.client.resumable.GREETING_TIMEOUT_S", 0.2)
        monkeypatch.setattr("openenv.client.blocking_resumable.GREETING_TIMEOUT_S", 0.2)
        proxy.then([Fault(DOWN, 300, Cut.DELAY, 0.6)])
        proxy.cut_all(Cut.RESET)
        assert player.step(1).observation.written == [1]
        assert len(proxy.links) == 3
        wait_until(lambda: proxy.links[1].passed[DOWN] != 300)
        assert player.step(2).observation.written == [1, 2]
        assert len(registry) == 1


def test_replies_too_many_to_hold_are_acknowledged(awaited: bool, name: str) -> None:
    with behind_proxy(max_unacked_bytes=5000) as (proxy, _), Player(proxy.url, awaited=awaited) as player:
        player.reset(name)
        results = player.gather(list(range(40)), reply_bytes=2000)
        assert [result.observation.number for result in results] == list(range(40))
    assert Journal.steps[name] == list(range(40))


def test_more_calls_at_once_than_may_be_in_flight_keep_their_order(name: str) -> None:
    with behind_proxy() as (proxy, _), Player(proxy.url, awaited=True) as player:
        player.reset(name)
        proxy.add(Fault(UP, 5000, Cut.RESET))
        results = player.gather(list(range(300)))
        assert [result.observation.number for result in results] == list(range(300))
        assert len(proxy.links) == 2
    assert Journal.steps[name] == list(range(300))


def test_a_long_message_into_a_silent_connection_holds_nobody_up(awaited: bool, name: str) -> None:
    with behind_proxy() as (proxy, _), Player(proxy.url, awaited=awaited, **SILENT) as player:
        player.reset(name)
        proxy.cut_all(Cut.STALL)
        asked_at = time.monotonic()
        with pytest.raises(StepTimeout):
            player.step(1, timeout_s=0.5, padding="x" * 14_000_000)
        assert time.monotonic() - asked_at < 4
        proxy.release_all()
        assert player.reset(f"{name}-next").observation.written == []


@pytest.mark.parametrize("lost", ["cut", "silent", "full"])
def test_a_lost_connection_can_be_closed(awaited: bool, name: str, lost: str) -> None:
    with behind_proxy(resume_window_s=1) as (proxy, registry):
        with Player(proxy.url, awaited=awaited, **SILENT) as player:
            player.reset(name)
            if lost == "cut":
                proxy.refuse()
                proxy.cut_all(Cut.RESET)
                player.rest(0.1)
            else:
                proxy.cut_all(Cut.STALL)
            if lost == "full":
                with pytest.raises(StepTimeout):
                    player.step(1, timeout_s=0.1, padding="x" * 14_000_000)
            closing_at = time.monotonic()
        assert time.monotonic() - closing_at < 4
        proxy.cut_all(Cut.RESET)
        wait_until(lambda: Journal.closed[name] == 1)
        assert len(registry) == 0

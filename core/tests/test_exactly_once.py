"""An episode whose connection is cut at every byte: each step is done once, and each reply arrives once, in order."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

import pytest
from cutting_proxy import DOWN, UP, Cut, CuttingProxy, Fault, cutting_proxy
from journal import Journal
from playing import Player
from serving import running, wait_until

from openenv.errors import ConnectError
from openenv.server import create_app

STEPS = [1, 2, 3]
CLOSING_BYTES = {UP: 8, DOWN: 4}
"""What the goodbye of a client takes, and its echo."""

_names = count()


def strides(sample: int, many: int) -> pytest.MarkDecorator:
    """Let a test take every so many bytes, in its short and in its long form."""
    long = pytest.param(many, id="long", marks=[pytest.mark.long, pytest.mark.timeout(1200)])
    return pytest.mark.parametrize("stride", [pytest.param(sample, id="short"), long])


worlds = pytest.mark.parametrize("awaited", [True, False], ids=["awaited", "blocking"])


@contextmanager
def server_behind_proxy(**settings: Any) -> Iterator[CuttingProxy]:
    """Run a server that must have no session left in the end."""
    app = create_app(Journal, resume_window_s=2, **settings)
    with running(app) as url, cutting_proxy(url) as proxy:
        yield proxy
        wait_until(lambda: len(app.state.registry) == 0, 20)
        wait_until(lambda: app.state.registry.slots_taken == 0)


def play(url: str, *, awaited: bool, may_fail_to_connect: bool = False, **options: Any) -> None:
    """Play an episode and compare what the client was told with what the environment did."""
    name = f"cut-{next(_names)}"
    with Player(url, awaited=awaited, message_timeout_s=20, **options) as player:
        try:
            first = player.reset(name)
        except ConnectError:
            assert may_fail_to_connect
            assert Journal.resets[name] == 0
            first = player.reset(name)
        assert (first.observation.written, first.reward) == ([], None)
        for step in STEPS:
            result = player.step(step)
            assert (result.observation.number, result.reward) == (step, step)
            assert result.observation.written == STEPS[:step]
        state = player.state()
        assert (state.episode_id, state.step_count) == (name, len(STEPS))
    assert (Journal.steps[name], Journal.resets[name]) == (STEPS, 1)


def lengths(proxy: CuttingProxy, *, awaited: bool) -> tuple[dict[str, int], dict[str, int]]:
    """Return how many bytes pass until a client has been greeted, and in a whole episode without the goodbye."""
    proxy.script()
    play(proxy.url, awaited=awaited)
    whole = dict(proxy.links[-1].passed)
    proxy.script([Fault(UP, len(proxy.links[-1].head) + 1, Cut.STALL)])
    with Player(proxy.url, awaited=awaited, message_timeout_s=0.1) as player:
        with pytest.raises(TimeoutError):
            player.reset("never")
        greeting = dict(proxy.links[-1].passed)
        proxy.cut_all(Cut.RESET)
    greeting[UP] -= 1
    assert 100 < greeting[UP] < whole[UP] - 100
    assert 300 < greeting[DOWN] < whole[DOWN] - 100
    return greeting, {way: whole[way] - CLOSING_BYTES[way] for way in whole}


@strides(31, 1)
@worlds
@pytest.mark.parametrize("cut", [Cut.RESET, Cut.FINISH, Cut.HALF_CLOSE], ids=lambda cut: cut.name.lower())
def test_a_connection_cut_at_any_byte(awaited: bool, cut: Cut, stride: int) -> None:
    with server_behind_proxy() as proxy:
        greeting, whole = lengths(proxy, awaited=awaited)
        cuts = 0
        for way in (UP, DOWN):
            for at in range(0, whole[way] + CLOSING_BYTES[way] + 1, stride):
                proxy.script([Fault(way, at, cut)])
                play(proxy.url, awaited=awaited, may_fail_to_connect=at <= greeting[way])
                assert len(proxy.links) > 1 or at >= whole[way], f"{way} {at}: nothing was cut"
                cuts += 1
        print(f"{cuts} cuts")


@strides(97, 4)
@worlds
@pytest.mark.parametrize("cut", [Cut.RESET, Cut.FINISH], ids=lambda cut: cut.name.lower())
def test_a_connection_cut_again_while_it_comes_back(awaited: bool, cut: Cut, stride: int) -> None:
    with server_behind_proxy() as proxy:
        greeting, whole = lengths(proxy, awaited=awaited)
        cuts = 0
        for way, lost_at in ((UP, greeting[UP] + 150), (DOWN, whole[DOWN] - 150)):
            first = [Fault(way, lost_at, cut)]
            proxy.script(first)
            play(proxy.url, awaited=awaited)
            assert len(proxy.links) == 2
            second = dict(proxy.links[1].passed)
            for way_again in (UP, DOWN):
                for at in range(0, second[way_again] - CLOSING_BYTES[way_again], stride):
                    proxy.script(first, [Fault(way_again, at, cut)])
                    play(proxy.url, awaited=awaited)
                    assert len(proxy.links) > 2, f"{way_again} {at}: nothing was cut"
                    cuts += 1
        print(f"{cuts} cuts")


@strides(380, 20)
@worlds
def test_a_connection_that_falls_silent_at_any_byte(awaited: bool, stride: int) -> None:
    with server_behind_proxy() as proxy:
        greeting, whole = lengths(proxy, awaited=awaited)
        options: dict[str, Any] = {"websocket_ping_interval_s": 0.05, "websocket_ping_timeout_s": 0.1, "connect_timeout_s": 0.5}
        for way in (UP, DOWN):
            for at in range(greeting[way] + 1, whole[way], stride):
                proxy.script([Fault(way, at, Cut.STALL)])
                play(proxy.url, awaited=awaited, **options)
                assert len(proxy.links) > 1, f"{way} {at}: nothing fell silent"
                proxy.cut_all(Cut.RESET)

"""Servers that a client does not expect: older ones, broken ones, and one that is gone."""

from __future__ import annotations

import json
import time
from typing import Any

import msgpack
import pytest
from blocking_server import blocking_server
from journal import Journal
from playing import Player
from serving import running
from speaking import MSGPACK
from websockets.sync.server import ServerConnection

from openenv.errors import OpenEnvError, SessionLost
from openenv.server import create_app


@pytest.fixture(params=[True, False], ids=["awaited", "blocking"])
def awaited(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def test_a_server_that_chooses_no_subprotocol_is_spoken_to_in_version_1(awaited: bool) -> None:
    heard: list[Any] = []

    def answer(socket: ServerConnection) -> None:
        for frame in socket:
            heard.append(json.loads(frame))
            observation = {"number": len(heard), "written": [], "padding": ""}
            data = {"observation": observation, "reward": 1.0, "done": False}
            socket.send(json.dumps({"type": "observation", "data": data}))

    with blocking_server(answer) as url, Player(url, awaited=awaited) as player:
        assert player.reset("x").observation.number == 1
        assert player.step(7).observation.number == 2
    assert [message.keys() for message in heard[:2]] == [{"type", "data"}] * 2
    assert heard[0] == {"type": "reset", "data": {"episode_id": "x"}}
    assert heard[1]["data"]["number"] == 7


@pytest.mark.parametrize(
    "words", [b"\xc1", b"\x01", msgpack.packb({"id": [1], "type": {}}), msgpack.packb({"id": 1, "type": "error"})]
)
def test_a_server_that_talks_nonsense_leaves_nobody_waiting(awaited: bool, words: bytes) -> None:
    def answer(socket: ServerConnection) -> None:
        socket.send(msgpack.packb({"type": "hello", "data": {"session": "s", "resumed": False}}))
        for _ in socket:
            socket.send(words)

    with blocking_server(answer, subprotocols=[MSGPACK]) as url, Player(url, awaited=awaited) as player:
        asked_at = time.monotonic()
        for _ in range(2):
            with pytest.raises(OpenEnvError):
                player.reset("x", timeout_s=0.5)
        assert time.monotonic() - asked_at < 4


def test_a_server_that_refuses_what_is_repeated_is_not_asked_for_ever(awaited: bool) -> None:
    asked: list[int] = []

    def answer(socket: ServerConnection) -> None:
        socket.send(msgpack.packb({"type": "hello", "data": {"session": "s", "resumed": bool(asked)}}))
        socket.recv()
        asked.append(1)
        socket.close(1002)

    with (
        blocking_server(answer, subprotocols=[MSGPACK]) as url,
        Player(url, awaited=awaited) as player,
        pytest.raises(SessionLost, match="episode is gone"),
    ):
        player.step(1, timeout_s=20)
    assert 2 <= len(asked) <= 6


def test_a_server_that_takes_no_message_so_long_is_named(awaited: bool) -> None:
    def answer(socket: ServerConnection) -> None:
        socket.send(msgpack.packb({"type": "hello", "data": {"session": "s", "resumed": False}}))
        socket.recv()
        socket.close(1009)

    with (
        blocking_server(answer, subprotocols=[MSGPACK]) as url,
        Player(url, awaited=awaited) as player,
        pytest.raises(SessionLost, match=r"longer than ws://\S+ takes"),
    ):
        player.state()


def test_a_server_that_is_gone_is_not_waited_for(awaited: bool) -> None:
    with running(create_app(Journal, resume_window_s=0.5)) as url:
        player = Player(url, awaited=awaited)
        player.reset("gone")
    with player:
        with pytest.raises(SessionLost, match=r"episode is gone"):
            player.step(1, timeout_s=20)
        with pytest.raises(SessionLost):
            player.step(1)

"""A session that outlives its socket."""

from __future__ import annotations

import time
from typing import Any

import pytest
from journal import Journal, step_of
from serving import running, wait_until
from speaking import JSON, MSGPACK, Speaker, speaking

from openenv.server import create_app
from openenv.sessions.registry import Registry


async def leave(client: Speaker, how: int | None) -> None:
    """End a socket with a code, or without a goodbye."""
    if how is None:
        await client.vanish()
    else:
        await client.socket.close(how)


@pytest.mark.parametrize("how", [None, 1001, 1011, 3000, 4000])
async def test_an_episode_goes_on_where_it_stood(url: str, codec: str, name: str, how: int | None) -> None:
    async with speaking(url, codec) as client:
        await client.ask("reset", 1, {"episode_id": name})
        await client.ask("step", 2, step_of(1))
        await leave(client, how)
    async with speaking(url, codec, client.session) as resumed:
        assert {**client.hello, "resumed": True} == resumed.hello
        assert (await resumed.ask("step", 2, step_of(1)))["data"]["observation"]["written"] == [1]
        assert (await resumed.ask("step", 3, step_of(2)))["data"]["observation"]["written"] == [1, 2]
    assert (Journal.steps[name], Journal.resets[name]) == ([1, 2], 1)


async def test_what_ran_while_nobody_was_there_is_answered_once_there_is(url: str, codec: str, name: str) -> None:
    async with speaking(url, codec) as client:
        await client.ask("reset", 1, {"episode_id": name})
        await client.say("step", 2, step_of(1, gate=name))
        await client.say("step", 3, step_of(2))
        await client.say("state", 4)
        await client.ask("render", 5, deadline_s=0.05)
        await client.vanish()
    async with speaking(url, codec, client.session) as resumed:
        await resumed.say("step", 2, step_of(1, gate=name))
        await resumed.say("step", 3, step_of(2))
        late = await resumed.ask("render", 5)
        assert (late["id"], late["data"]["code"]) == (5, "TIMEOUT")
        Journal.gates[name].set()
        assert [(await resumed.hear())["id"] for _ in range(3)] == [2, 3, 4]
        assert (await resumed.ask("state", 6))["id"] == 6
    assert Journal.steps[name] == [1, 2]


@pytest.mark.parametrize("session", ["", "x", "a" * 32, "../../etc", "a" * 5000])
async def test_a_session_that_is_not_known(url: str, codec: str, session: str) -> None:
    async with speaking(url, codec, session.replace("/", "-")) as client:
        assert client.hello["code"] == "SESSION_UNKNOWN"
        assert await client.closed_with() == 4404


async def test_a_session_keeps_its_codec(url: str, codec: str, name: str) -> None:
    async with speaking(url, codec) as client:
        await client.ask("reset", 1, {"episode_id": name})
        async with speaking(url, JSON if codec == MSGPACK else MSGPACK, client.session) as other:
            assert other.hello["code"] == "SESSION_UNKNOWN"
            assert await other.closed_with() == 4404
        assert (await client.ask("step", 2, step_of(1)))["id"] == 2


async def test_the_newest_socket_wins(url: str, codec: str, name: str) -> None:
    async with speaking(url, codec) as older:
        await older.ask("reset", 1, {"episode_id": name})
        await older.say("step", 2, step_of(1, gate=name))
        await older.say("step", 3, step_of(2))
        async with speaking(url, codec, older.session) as newer:
            assert newer.hello["resumed"] is True
            assert await older.closed_with() == 4409
            Journal.gates[name].set()
            assert [(await newer.hear())["id"] for _ in range(2)] == [2, 3]
            async with speaking(url, codec, older.session) as newest:
                assert await newer.closed_with() == 4409
                assert (await newest.ask("step", 4, step_of(3)))["data"]["observation"]["written"] == [1, 2, 3]
    wait_until(lambda: Journal.closed[name] == 1)
    assert Journal.steps[name] == [1, 2, 3]


async def test_the_end_of_an_older_socket_ends_nothing(url: str, codec: str, name: str) -> None:
    async with speaking(url, codec) as older:
        await older.ask("reset", 1, {"episode_id": name})
        async with speaking(url, codec, older.session) as newer:
            assert await older.closed_with() == 4409
            await older.socket.close(1000)
            assert (await newer.ask("step", 2, step_of(1)))["id"] == 2
            assert Journal.closed[name] == 0


@pytest.mark.parametrize("how", [None, 1000, 1001])
async def test_a_socket_that_never_asked_leaves_no_session(server: tuple[str, Registry], codec: str, how: int | None) -> None:
    url, registry = server
    async with speaking(url, codec) as client:
        assert registry.has(client.session)
        await client.say("ack", data={"ack": 0})
        await leave(client, how)
    wait_until(lambda: not registry.has(client.session))
    async with speaking(url, codec, client.session) as late:
        assert late.hello["code"] == "SESSION_UNKNOWN"


async def test_after_its_window_a_session_is_gone(codec: str, name: str) -> None:
    window_s = 0.5
    app = create_app(Journal, resume_window_s=window_s)
    with running(app) as url:
        async with speaking(url, codec) as client:
            await client.ask("reset", 1, {"episode_id": name})
            await client.vanish()
        async with speaking(url, codec, client.session) as client:
            await client.ask("step", 2, step_of(1))
            lost_at = time.monotonic()
            await client.vanish()
        wait_until(lambda: Journal.closed[name] == 1)
        assert window_s * 0.9 < time.monotonic() - lost_at < window_s + 2
        async with speaking(url, codec, client.session) as late:
            assert late.hello["code"] == "SESSION_UNKNOWN"
            assert await late.closed_with() == 4404
        wait_until(lambda: app.state.registry.slots_taken == 0)


async def test_a_restarted_server_knows_no_session(codec: str, name: str) -> None:
    with running(create_app(Journal)) as url:
        async with speaking(url, codec) as client:
            await client.ask("reset", 1, {"episode_id": name})
            await client.vanish()
    with running(create_app(Journal)) as url:
        async with speaking(url, codec, client.session) as late:
            assert late.hello["code"] == "SESSION_UNKNOWN"
            assert await late.closed_with() == 4404


async def test_an_idle_session_is_ended_under_its_socket(codec: str, name: str) -> None:
    with running(create_app(Journal, idle_timeout_s=0.2)) as url:
        async with speaking(url, codec) as client:
            await client.ask("reset", 1, {"episode_id": name})
            wait_until(lambda: Journal.closed[name] == 1)
            reply: dict[str, Any] = await client.ask("step", 2, step_of(1))
            assert (reply["id"], reply["data"]["code"]) == (2, "SESSION_UNKNOWN")
    assert Journal.steps[name] == []

"""Version 2 of the socket, message by message, as a client of any language meets it."""

from __future__ import annotations

from typing import Any

import pytest
import serving
from journal import Journal, step_of
from serving import running, wait_until
from speaking import speaking

from openenv.server import create_app
from openenv.sessions.registry import Registry
from openenv.version import __version__


@pytest.fixture(autouse=True, params=["serve", "any-uvicorn"])
def _sockets(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Under `openenv.server.serve` messages take a short way, under a plain uvicorn ASGI's: to a client they are the same."""
    if request.param == "any-uvicorn":
        monkeypatch.setattr(serving, "SOCKETS", "websockets-sansio")


def code_of(message: dict[str, Any]) -> tuple[Any, Any]:
    """Return an error's number and code."""
    assert message["type"] == "error", message
    return message["id"], message["data"]["code"]


@pytest.mark.parametrize("given", [{"seed": "7"}, {"seed": True}, {"episode_id": 5}], ids=str)
async def test_what_names_an_episode_is_of_its_type(codec: str, given: dict[str, Any]) -> None:
    with running(create_app(Journal)) as url:
        async with speaking(url, codec) as client:
            assert code_of(await client.ask("reset", 1, given)) == (1, "VALIDATION_ERROR")
            assert (await client.ask("reset", 2, {"episode_id": "e"}))["type"] == "observation"


async def test_the_server_speaks_first_and_says_what_it_is(codec: str) -> None:
    app = create_app(Journal, max_message_bytes=123456, resume_window_s=7, idle_timeout_s=77, step_timeout_s=5.5)
    with running(app) as url:
        async with speaking(url, codec) as first, speaking(url, codec) as second:
            hello = first.hello
            assert hello.keys() == {"session", "resumed", "protocol", "environment", "version", "limits", "capabilities"}
            assert (hello["resumed"], hello["protocol"], hello["environment"]) == (False, codec, "Journal")
            assert hello["version"] == __version__
            assert hello["limits"] == {
                "max_message_bytes": 123456,
                "max_in_flight": 64,
                "max_unacked_bytes": 64 * 1024 * 1024,
                "idle_timeout_s": 77,
                "resume_window_s": 7,
                "step_timeout_s": 5.5,
                "lanes": 256,
            }
            assert {"resume", "deadlines", "cancel", "render"} <= set(hello["capabilities"])
            assert len(first.session) >= 22  # 128 bits take so many characters
            assert first.session != second.session
            assert app.state.registry.slots_taken == 0
            await first.ask("reset", 1)
            assert app.state.registry.slots_taken == 1


async def test_replies_carry_the_numbers_of_their_requests(url: str, codec: str, name: str) -> None:
    async with speaking(url, codec) as client:
        reply = await client.ask("reset", 1, {"episode_id": name})
        assert reply.keys() == {"type", "id", "data"}
        assert (reply["type"], reply["id"]) == ("observation", 1)
        assert reply["data"].keys() == {"observation", "reward", "done"}
        reply = await client.ask("step", 2, step_of(7))
        assert (reply["id"], reply["data"]["reward"], reply["data"]["observation"]["written"]) == (2, 7.0, [7])
        reply = await client.ask("state", 3)
        assert (reply["type"], reply["id"], reply["data"]) == ("state", 3, {"episode_id": name, "step_count": 1})
        reply = await client.ask("render", 4)
        assert reply == {"type": "render", "id": 4, "data": {"text/plain": "7"}}
        assert code_of(await client.ask("dance", 5)) == (5, "UNKNOWN_TYPE")
        assert code_of(await client.ask("step", 6)) == (6, "VALIDATION_ERROR")
        assert code_of(await client.ask("step", 7, {"number": "many"})) == (7, "VALIDATION_ERROR")
        assert code_of(await client.ask("step", 8, step_of(-1))) == (8, "EXECUTION_ERROR")
        for number in range(9, 14):
            await client.say("step", number, step_of(number))
        assert [(await client.hear())["id"] for _ in range(5)] == [9, 10, 11, 12, 13]
    assert Journal.steps[name] == [7, 9, 10, 11, 12, 13]


async def test_what_was_done_is_answered_again_and_not_done_again(url: str, codec: str, name: str) -> None:
    async with speaking(url, codec) as client:
        await client.ask("reset", 1, {"episode_id": name})
        requests = [(2, step_of(1)), (3, step_of(-1)), (4, {"number": None})]
        replies = []
        for number, data in requests:
            await client.say("step", number, data)
            replies.append(await client.hear_raw())
        for (number, data), reply in zip(requests, replies, strict=True):
            for _ in range(2):
                await client.say("step", number, data)
                assert await client.hear_raw() == reply
        assert (await client.ask("reset", 1, {"episode_id": name}))["data"]["observation"]["written"] == []
    assert (Journal.steps[name], Journal.resets[name]) == ([1], 1)


async def test_what_still_runs_is_answered_once(url: str, codec: str, name: str) -> None:
    async with speaking(url, codec) as client:
        await client.ask("reset", 1, {"episode_id": name})
        for _ in range(3):
            await client.say("step", 2, step_of(1, gate=name))
        assert code_of(await client.ask("dance", 3)) == (3, "UNKNOWN_TYPE")
        Journal.gates[name].set()
        assert (await client.hear())["id"] == 2
        assert (await client.ask("state", 4))["id"] == 4
    assert Journal.steps[name] == [1]


@pytest.mark.parametrize("alone", [True, False])
async def test_what_has_arrived_is_not_said_again(url: str, codec: str, name: str, alone: bool) -> None:
    async with speaking(url, codec) as client:
        await client.ask("reset", 1, {"episode_id": name})
        await client.ask("step", 2, step_of(1))
        if alone:
            await client.say("ack", data={"ack": 2})
        else:
            assert (await client.ask("state", 3, ack=2))["id"] == 3
        await client.say("reset", 1, {"episode_id": name})
        await client.say("step", 2, step_of(1))
        last = 3 if alone else 4
        assert (await client.ask("state", last))["id"] == last
    assert (Journal.steps[name], Journal.resets[name]) == ([1], 1)


@pytest.mark.parametrize("wrong", [3, 0, -1, 2**60, "2", 2.0, True, None, [2]])
async def test_a_number_out_of_place_ends_the_socket_and_not_the_session(url: str, codec: str, name: str, wrong: Any) -> None:
    async with speaking(url, codec) as client:
        await client.ask("reset", 1, {"episode_id": name})
        assert code_of(await client.ask("step", wrong, step_of(5))) == (None, "SESSION_ERROR")
        assert await client.closed_with() == 1002
    async with speaking(url, codec, client.session) as client:
        assert client.hello["resumed"] is True
        assert (await client.ask("step", 2, step_of(6)))["data"]["observation"]["written"] == [6]


@pytest.mark.parametrize(
    "frame",
    ["{", b"\xc1", b"\x81", "[1]", "7", b"\x93\x01\x02\x03", b"\x81\x90\x01", '{"type":"ack","data":{"ack":9}}', "[" * 9000],
)
async def test_what_cannot_be_read_ends_the_socket_and_not_the_session(
    url: str, codec: str, name: str, frame: str | bytes
) -> None:
    async with speaking(url, codec) as client:
        await client.ask("reset", 1, {"episode_id": name})
        await client.say_raw(frame)
        assert code_of(await client.hear())[0] is None
        assert await client.closed_with() == 1002
    async with speaking(url, codec, client.session) as client:
        assert (await client.ask("step", 2, step_of(1)))["data"]["observation"]["written"] == [1]


@pytest.mark.parametrize("data", [None, {}, {"ack": -1}, {"ack": "1"}, {"ack": 2}, [1]])
async def test_an_ack_that_says_nothing_ends_the_socket(url: str, codec: str, data: Any) -> None:
    async with speaking(url, codec) as client:
        await client.ask("state", 1)
        await client.say("ack", data=data)
        assert code_of(await client.hear())[0] is None
        assert await client.closed_with() == 1002


async def test_at_most_64_requests_are_in_flight(url: str, codec: str, name: str) -> None:
    async with speaking(url, codec) as client:
        await client.ask("reset", 1, {"episode_id": name})
        for number in range(2, 65):
            await client.say("step", number, step_of(number))
        for number in range(2, 65):
            assert (await client.hear())["id"] == number
        assert code_of(await client.ask("step", 65, step_of(65))) == (None, "SESSION_ERROR")
        assert await client.closed_with() == 1002
    async with speaking(url, codec, client.session) as client:
        assert (await client.ask("step", 65, step_of(65), ack=1))["id"] == 65
    assert Journal.steps[name] == list(range(2, 66))


@pytest.mark.parametrize("data", [{"colour": "red"}, {"episode_id": "kept", "colour": "red"}])
async def test_a_reset_argument_that_nobody_takes(data: dict[str, Any], url: str, codec: str) -> None:
    async with speaking(url, codec) as client:
        refused = await client.ask("reset", 1, data)
        assert code_of(refused) == (1, "VALIDATION_ERROR")
        assert "does not take colour" in refused["data"]["message"]
    with running(create_app(Journal, strict_reset=False)) as lenient:
        async with speaking(lenient, codec) as client:
            assert (await client.ask("reset", 1, data))["type"] == "observation"


async def test_an_environment_without_a_picture_says_so(counter_url: str, codec: str) -> None:
    async with speaking(counter_url, codec) as client:
        assert code_of(await client.ask("render", 1)) == (1, "NOT_SUPPORTED")
        assert (await client.ask("reset", 2))["id"] == 2


async def test_too_many_bytes_unacknowledged_hold_calls_while_reading_goes_on(codec: str, name: str) -> None:
    with running(create_app(Journal, max_unacked_bytes=2000)) as url:
        async with speaking(url, codec) as client:
            await client.ask("reset", 1, {"episode_id": name})
            assert len((await client.ask("step", 2, step_of(2, reply_bytes=3000)))["data"]["observation"]["padding"]) == 3000
            await client.say("step", 3, step_of(3))
            await client.say("step", 4, step_of(4))
            cancelled = await client.ask("cancel", data={"id": 3})
            assert code_of(cancelled) == (3, "CANCELLED")
            assert cancelled["data"]["started"] is False
            await client.say("ack", data={"ack": 3})
            assert (await client.hear())["id"] == 4
    assert Journal.steps[name] == [2, 4]


async def test_the_proper_end_of_a_session_is_at_once(server: tuple[str, Registry], codec: str, name: str) -> None:
    url, registry = server
    for number, goodbye in enumerate(("message", "code")):
        episode = f"{name}-{number}"
        async with speaking(url, codec) as client:
            await client.ask("reset", 1, {"episode_id": episode})
            if goodbye == "message":
                await client.say("close")
                assert await client.closed_with() == 1000
            else:
                await client.socket.close()
        wait_until(lambda episode=episode: Journal.closed[episode] == 1)
        assert not registry.has(client.session)
        async with speaking(url, codec, client.session) as late:
            assert late.hello["code"] == "SESSION_UNKNOWN"
            assert await late.closed_with() == 4404


async def test_a_goodbye_with_a_call_in_flight_lets_it_end(url: str, codec: str, name: str) -> None:
    async with speaking(url, codec) as client:
        await client.ask("reset", 1, {"episode_id": name})
        await client.say("step", 2, step_of(1, gate=name))
        await client.say("close")
        assert await client.closed_with() == 1000
        assert Journal.closed[name] == 0
        Journal.gates[name].set()
    wait_until(lambda: Journal.closed[name] == 1)
    assert Journal.steps[name] == [1]

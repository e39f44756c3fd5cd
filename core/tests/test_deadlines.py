"""How long a call may take, and what a call that took longer leaves behind."""

from __future__ import annotations

import threading
import time
from typing import Any, ClassVar

import pytest
from counting import Counter
from journal import Journal, step_of
from serving import running, wait_until
from speaking import speaking

from openenv.errors import StepTimeout
from openenv.server import create_app
from openenv.sessions.registry import Registry
from openenv.sessions.settings import Settings
from openenv.sessions.spec import environment_spec
from openenv.wire.messages import Request
from openenv.wire.msgpack_codec import MSGPACK


def told(message: dict[str, Any]) -> tuple[Any, Any, Any]:
    """Return an error's number, its code, and whether the call had started."""
    assert message["type"] == "error", message
    return message["id"], message["data"]["code"], message["data"].get("started")


@pytest.mark.parametrize("given_up", ["deadline", "cancel", "setting"])
async def test_a_call_given_up_in_the_environment_leaves_the_session_stuck(codec: str, name: str, given_up: str) -> None:
    settings: dict[str, Any] = {"step_timeout_s": 0.1} if given_up == "setting" else {}
    with running(create_app(Journal, **settings)) as url:
        async with speaking(url, codec) as client:
            await client.ask("reset", 1, {"episode_id": name})
            built = Journal.built
            await client.say("step", 2, step_of(1, gate=name), deadline_s=0.1 if given_up == "deadline" else 30)
            await client.say("step", 3, step_of(2))
            if given_up == "cancel":
                await client.say("cancel", data={"id": 2})
            late = await client.hear()
            assert told(late) == (2, "CANCELLED" if given_up == "cancel" else "TIMEOUT", True)
            assert told(await client.hear()) in ((3, "SESSION_STUCK", None), (3, "TIMEOUT", False))
            for number, kind in ((4, "step"), (5, "state"), (6, "render")):
                assert told(await client.ask(kind, number, step_of(1))) == (number, "SESSION_STUCK", None)
            assert await client.ask("step", 2, step_of(1)) == late
            assert (await client.ask("reset", 7, {"episode_id": f"{name}-next"}))["type"] == "observation"
            assert Journal.built == built + 1
            Journal.gates[name].set()
            wait_until(lambda: Journal.closed[name] == 1)
            reply = await client.ask("step", 8, step_of(4))
            assert (reply["id"], reply["data"]["observation"]["written"]) == (8, [4])
            assert await client.ask("step", 2, step_of(1)) == late


async def test_a_call_given_up_before_its_turn_never_runs(codec: str, name: str) -> None:
    with running(create_app(Journal)) as url:
        async with speaking(url, codec) as client:
            await client.ask("reset", 1, {"episode_id": name})
            await client.say("step", 2, step_of(1, gate=name))
            assert told(await client.ask("step", 3, step_of(2), deadline_s=0.05)) == (3, "TIMEOUT", False)
            await client.say("step", 4, step_of(3))
            assert told(await client.ask("cancel", data={"id": 4})) == (4, "CANCELLED", False)
            Journal.gates[name].set()
            assert (await client.hear())["id"] == 2
            assert (await client.ask("step", 5, step_of(4)))["data"]["observation"]["written"] == [1, 4]
            for nothing in (2, 4, 99):
                await client.say("cancel", data={"id": nothing})
            assert (await client.ask("state", 6))["id"] == 6


@pytest.mark.parametrize("first_ends", [False, True], ids=["given up", "ended"])
async def test_calls_whose_time_is_over_in_one_moment_are_told_apart(name: str, first_ends: bool) -> None:
    """Nothing but the first one began, though the server was held up until all of them were late."""
    settings = Settings(isolation=None if first_ends else "process", warm_processes=0)
    registry = Registry(environment_spec(Journal), settings)
    session = await registry.open()
    await session.submit(Request("reset", {"episode_id": name}), MSGPACK).outcome()
    step = Request("step", step_of(1, gate=name))
    first = session.submit(step, MSGPACK, None if first_ends else 0.05)
    late = [session.submit(Request(kind, {}), MSGPACK, 0.05) for kind in ("reset", "state")]
    Journal.gates[name].set()
    time.sleep(0.3)
    for ticket in late:
        with pytest.raises(StepTimeout) as told:
            await ticket.outcome()
        assert told.value.details["started"] is False
    if first_ends:
        assert MSGPACK.load(await first.outcome())["observation"]["written"] == [1]
        assert MSGPACK.load(await session.submit(step, MSGPACK).outcome())["observation"]["written"] == [1, 1]
    else:
        with pytest.raises(StepTimeout) as told:
            await first.outcome()
        assert told.value.details["started"] is True
    await registry.close()


async def test_lanes_whose_time_is_over_before_their_turn_do_not_begin() -> None:
    registry = Registry(environment_spec(Counter), Settings(lane_threads=2))
    session = registry.begin()
    await session.submit(Request("lanes", {"count": 2}), MSGPACK).outcome()
    for kind in ("reset", *["step"] * 20):
        await session.submit(Request(kind, [{}, {}], lanes=[0, 1]), MSGPACK).outcome()
    first = session.submit(Request("step", [{"amount": 1}] * 2, lanes=[0, 1]), MSGPACK)
    late = session.submit(Request("step", [{"amount": 2}] * 2, lanes=[0, 1]), MSGPACK, 0.05)
    time.sleep(0.2)
    told = [entry["error"] for entry in MSGPACK.load(await late.outcome())]
    assert [(error["code"], error["started"]) for error in told] == [("TIMEOUT", False)] * 2
    for ticket in (first, session.submit(Request("step", [{}] * 2, lanes=[0, 1]), MSGPACK)):
        assert [entry["observation"]["total"] for entry in MSGPACK.load(await ticket.outcome())] == [1, 1]
    await registry.close()


async def test_a_deadline_counts_from_the_first_receipt(codec: str, name: str) -> None:
    with running(create_app(Journal)) as url:
        async with speaking(url, codec) as client:
            await client.ask("reset", 1, {"episode_id": name})
            asked_at = time.monotonic()
            await client.say("step", 2, step_of(1, gate=name), deadline_s=0.6)
            await client.vanish()
        async with speaking(url, codec, client.session) as client:
            await client.say("step", 2, step_of(1, gate=name), deadline_s=60)
            assert told(await client.hear()) == (2, "TIMEOUT", True)
            assert 0.55 < time.monotonic() - asked_at < 3
        Journal.gates[name].set()


async def test_a_deadline_covers_the_wait_for_a_slot(codec: str, name: str) -> None:
    app = create_app(Journal, max_concurrent_envs=1)
    with running(app) as url:
        async with speaking(url, codec) as first, speaking(url, codec) as second:
            await first.ask("reset", 1, {"episode_id": name})
            assert told(await second.ask("reset", 1, {}, deadline_s=0.1)) == (1, "TIMEOUT", False)
            await second.say("reset", 2, {"episode_id": name})
            assert told(await second.ask("cancel", data={"id": 2})) == (2, "CANCELLED", False)
            wait_until(lambda: app.state.registry.slots_awaited == 0)
            await second.say("reset", 3, {"episode_id": name})
            await first.say("close")
            assert (await second.hear())["id"] == 3
            assert app.state.registry.slots_taken == 1
        wait_until(lambda: app.state.registry.slots_taken == 0)


class SlowToBuild(Journal):
    """Takes until its gate opens to be built."""

    gate: ClassVar[threading.Event] = threading.Event()
    begun: ClassVar[int] = 0

    def __init__(self) -> None:
        SlowToBuild.begun += 1
        SlowToBuild.gate.wait(20)
        super().__init__()


async def test_a_call_given_up_while_its_environment_is_built_leaks_nothing(codec: str, name: str) -> None:
    SlowToBuild.gate.clear()
    SlowToBuild.begun = 0
    built, closed = Journal.built, Journal.closed[""]
    app = create_app(SlowToBuild, max_concurrent_envs=1)
    with running(app) as url:
        async with speaking(url, codec) as client:
            await client.say("reset", 1, {"episode_id": name}, deadline_s=0.3)
            wait_until(lambda: SlowToBuild.begun == 1)
            assert told(await client.hear()) == (1, "TIMEOUT", False)
            await client.say("reset", 2, {"episode_id": name})
            SlowToBuild.gate.set()
            assert (await client.hear())["id"] == 2
            assert app.state.registry.slots_taken == 1
            SlowToBuild.gate.clear()
        wait_until(lambda: app.state.registry.slots_taken == 0)
        async with speaking(url, codec) as client:
            await client.say("reset", 1, {"episode_id": name}, deadline_s=0.1)
            assert told(await client.hear()) == (1, "TIMEOUT", False)
            await client.say("close")
            assert await client.closed_with() == 1000
            SlowToBuild.gate.set()
        wait_until(lambda: app.state.registry.slots_taken == 0)
    assert Journal.built - built == Journal.closed[name] + Journal.closed[""] - closed


async def test_a_reset_waits_for_the_call_before_it(codec: str, name: str) -> None:
    with running(create_app(Journal)) as url:
        async with speaking(url, codec) as client:
            await client.ask("reset", 1, {"episode_id": name})
            await client.say("step", 2, step_of(1, gate=name))
            await client.say("reset", 3, {"episode_id": f"{name}-next"})
            await client.say("step", 4, step_of(2))
            Journal.gates[name].set()
            assert [(await client.hear())["id"] for _ in range(3)] == [2, 3, 4]
    assert (Journal.steps[name], Journal.steps[f"{name}-next"]) == ([1], [2])


@pytest.mark.parametrize("deadline_s", [0, -1, "5", True, [1]])
async def test_what_is_no_deadline(codec: str, deadline_s: Any) -> None:
    with running(create_app(Journal)) as url:
        async with speaking(url, codec) as client:
            assert told(await client.ask("reset", 1, {}, deadline_s=deadline_s)) == (1, "VALIDATION_ERROR", None)
            assert (await client.ask("reset", 2, {}, deadline_s=1e300))["id"] == 2


async def test_a_cancel_that_names_no_number_ends_the_socket(codec: str) -> None:
    with running(create_app(Journal)) as url:
        async with speaking(url, codec) as client:
            await client.ask("reset", 1)
            await client.say("cancel", data={"id": "1"})
            assert (await client.hear())["id"] is None
            assert await client.closed_with() == 1002

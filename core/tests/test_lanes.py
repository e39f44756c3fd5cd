"""Many environments of one session: what one lane does, suffers or waits for is no matter of the others."""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any, ClassVar

import pytest
from blocking_server import blocking_server
from counting import AsyncCounter, Count, Counter, CounterEnv, CountState, Total, payload
from cutting_proxy import DOWN, UP, Cut, CuttingProxy, Fault, cutting_proxy
from faulty import Faulty
from journal import Journal, JournalEnv, Note, step_of
from serving import running, wait_until
from speaking import Speaker, speaking
from websockets.sync.server import ServerConnection

from openenv import Environment, GenericEnvClient, StepResult
from openenv.client.lanes import Lanes
from openenv.errors import (
    CapacityReached,
    ConnectError,
    EnvironmentCrashed,
    ExecutionError,
    InvalidActionError,
    NotSupportedError,
    OpenEnvError,
    SessionLost,
    StepTimeout,
    UsageError,
)
from openenv.server import create_app

ALL = [0, 1, 2, 3]


def told(entry: dict[str, Any]) -> Any:
    """Return the total that a lane counted, or the code of its error and whether its call had started."""
    if entry.keys() == {"error"}:
        return entry["error"]["code"], entry["error"].get("started")
    return entry["observation"]["total"] if "observation" in entry else entry["total"]


def written(entry: dict[str, Any]) -> Any:
    """As `told`, for lanes of journals."""
    return told(entry) if entry.keys() == {"error"} else entry["observation"]["written"]


def counts(*amounts: int) -> list[dict[str, Any]]:
    """Return the `data` of a step that adds an amount on each lane."""
    return [payload(amount=amount) for amount in amounts]


async def begin(client: Speaker, lanes: int, quick_steps: int = 0) -> int:
    """Make lanes of a counter and reset them all, then do steps that add nothing; return the next message's number."""
    assert (await client.ask("lanes", 1, {"count": lanes}))["type"] == "lanes"
    every = list(range(lanes))
    assert (await client.ask("reset", 2, [{}] * lanes, lanes=every))["type"] == "observation"
    for number in range(3, 3 + quick_steps):
        assert [told(entry) for entry in (await client.ask("step", number, counts(*[0] * lanes), lanes=every))["data"]] == [
            0
        ] * lanes
    return 3 + quick_steps


async def test_lanes_are_made_once_and_before_all_else(codec: str) -> None:
    with running(create_app(Counter, max_concurrent_envs=3)) as url:
        async with speaking(url, codec) as client:
            assert client.hello["limits"]["lanes"] == 3
            assert "lanes" in client.hello["capabilities"]
            for number, wrong in enumerate(
                [{}, {"count": 0}, {"count": True}, {"count": "2"}, {"count": 2, "autoreset": "on"}], 1
            ):
                assert (await client.ask("lanes", number, wrong))["data"]["code"] == "VALIDATION_ERROR"
            reply = await client.ask("lanes", 6, {"count": 2, "autoreset": "next_step"})
            assert reply == {"type": "lanes", "id": 6, "data": {"count": 2, "autoreset": "next_step"}}
            assert (await client.ask("lanes", 7, {"count": 1}))["data"]["code"] == "VALIDATION_ERROR"
            reply = await client.ask("reset", 8, [{"start": 1}, {"start": 2}], lanes=[0, 1])
            assert [told(entry) for entry in reply["data"]] == [1, 2]
        async with speaking(url, codec) as client:
            assert (await client.ask("reset", 1, {"start": 5}))["type"] == "observation"
            assert (await client.ask("lanes", 2, {"count": 2}))["data"]["code"] == "VALIDATION_ERROR"
            assert (await client.ask("step", 3, counts(1), lanes=[0]))["data"]["code"] == "VALIDATION_ERROR"
            assert told((await client.ask("step", 4, payload(amount=1)))["data"]) == 6


@pytest.mark.parametrize("settings", [{"lane_threads": 1}, {"lane_threads": 3}, {"isolation": "inline"}], ids=str)
async def test_replies_come_in_the_order_of_the_request(codec: str, settings: dict[str, Any]) -> None:
    with running(create_app(Counter, **settings)) as url:
        async with speaking(url, codec) as client:
            await client.ask("lanes", 1, {"count": 20})
            shuffled = random.Random(1).sample(range(20), 20)
            reply = await client.ask("reset", 2, [{"start": -100 * lane} for lane in shuffled], lanes=shuffled)
            totals = {lane: -100 * lane for lane in range(20)}
            assert [told(entry) for entry in reply["data"]] == [totals[lane] for lane in shuffled]
            for number, size in enumerate([20, 7, 16, 1, 2], 3):
                some = random.Random(size).sample(range(20), size)
                totals |= {lane: totals[lane] + lane for lane in some}
                reply = await client.ask("step", number, counts(*some), lanes=some)
                assert (reply["type"], reply["id"]) == ("observation", number)
                assert [(told(entry), entry["reward"]) for entry in reply["data"]] == [(totals[lane], lane) for lane in some]
            reply = await client.ask("state", 8, lanes=shuffled)
            assert [told(entry) for entry in reply["data"]] == [totals[lane] for lane in shuffled]
            reply = await client.ask("step", 9, payload(amount=4))
            assert (told(reply["data"]), reply["data"]["reward"]) == (4, 4)
            assert told((await client.ask("state", 10))["data"]) == 4
            assert (await client.ask("render", 11))["data"]["code"] == "NOT_SUPPORTED"
            assert (await client.ask("step", 12, payload(amount=-1)))["data"]["code"] == "EXECUTION_ERROR"
            assert told((await client.ask("reset", 13, {"start": 9}))["data"]) == 9
            reply = await client.ask("state", 14, [{}, {}], lanes=[1, 0])
            assert [told(entry) for entry in reply["data"]] == [totals[1], 9]


WRONG = {
    "a lane that is not there": ("step", counts(1), [4]),
    "a lane below 0": ("step", counts(1), [-1]),
    "a lane twice": ("step", counts(1, 1), [1, 1]),
    "a lane that is no number": ("step", counts(1), [True]),
    "no lane": ("step", [], []),
    "lanes that are no list": ("step", counts(1), 1),
    "too little data": ("step", counts(1), [0, 1]),
    "too much data": ("reset", [{}, {}], [0]),
    "data that is no list": ("step", payload(), [0]),
    "no data": ("step", None, [0]),
    "an entry that is no map": ("reset", [{}, 1], [0, 1]),
    "a type without lanes": ("render", None, [0]),
}


async def test_wrong_lanes_are_refused_and_the_session_goes_on(codec: str) -> None:
    with running(create_app(Counter)) as url:
        async with speaking(url, codec) as client:
            first = await begin(client, 4)
            for number, (told_of, (kind, data, lanes)) in enumerate(WRONG.items(), first):
                reply = await client.ask(kind, number, data, lanes=lanes)
                assert (reply["id"], reply["data"].get("code")) == (number, "VALIDATION_ERROR"), told_of
            reply = await client.ask("step", first + len(WRONG), counts(1, 2, 3, 4), lanes=ALL)
            assert [told(entry) for entry in reply["data"]] == [1, 2, 3, 4]


class Unsendable(Counter):
    """Gives, on request, what is too long or lacks what every observation has."""

    def step(self, action: Count, timeout_s: float | None = None) -> Total:
        if action.fail == "huge":
            return Total(label="x" * 20_000)
        given = super().step(action, timeout_s)
        if action.fail == "bare":
            del given.__dict__["reward"]
        return given


@pytest.mark.parametrize("settings", [{"lane_threads": 2}, {"isolation": "inline"}], ids=str)
async def test_a_lane_that_fails_leaves_the_others_their_results(codec: str, settings: dict[str, Any]) -> None:
    odd = ("wrong type", "surrogate", "huge", "bare", "exit")
    faults = [payload(amount=-1), {"amount": "much"}, *(payload(fail=fault) for fault in odd)]
    codes = ["EXECUTION_ERROR", "VALIDATION_ERROR", *["EXECUTION_ERROR"] * 5]
    every = list(range(14))
    with running(create_app(Unsendable, max_message_bytes=20_000, **settings)) as url:
        async with speaking(url, codec) as client:
            number = await begin(client, 14)
            data = [entry for fault in faults for entry in (payload(amount=3, fail="nan"), fault)]
            reply = await client.ask("step", number, data, lanes=every)
            assert [told(entry) for entry in reply["data"][::2]] == [3] * 7
            assert [(entry["reward"], entry["done"]) for entry in reply["data"][::2]] == [(3, False)] * 7
            assert [entry["error"]["code"] for entry in reply["data"][1::2]] == codes
            assert "surrogate" in reply["data"][7]["error"]["message"]
            reply = await client.ask("state", number + 1, lanes=every)
            assert [told(entry) for entry in reply["data"]] == [3, 0] * 7
            assert [entry["step_count"] for entry in reply["data"][1::2]] == [0, 0, 0, 0, 0, 1, 0]
            reply = await client.ask("step", number + 2, counts(*[1] * 14), lanes=every)
            assert [told(entry) for entry in reply["data"]] == [4, 1] * 7


class Walk(Environment[Count, Total, CountState]):
    """Ends after `length` steps; every observation's label says what the episode was begun with."""

    SUPPORTS_CONCURRENT_SESSIONS = True

    def __init__(self) -> None:
        super().__init__()
        self._resets = 0

    def reset(self, seed: int | None = None, episode_id: str | None = None, *, length: int = 2, once: bool = False) -> Total:
        self._resets += 1
        self._label = f"{seed} {length}"
        if once and self._resets > 1:
            raise ValueError("only once")
        self._length, self._steps = length, 0
        return Total(label=self._label, metadata={"of": "reset"})

    def step(self, action: Count, timeout_s: float | None = None) -> Total:
        self._steps += 1
        end = True if self._steps >= self._length else None
        return Total(total=self._steps, label=self._label, reward=self._steps + action.amount, truncated=end)

    @property
    def state(self) -> CountState:
        return CountState()


class AsyncWalk(Walk):
    """As `Walk`, on the event loop."""

    async def reset(self, *arguments: Any, **options: Any) -> Total:  # type: ignore[override]
        await asyncio.sleep(0)
        return super().reset(*arguments, **options)

    async def step(self, action: Count, timeout_s: float | None = None) -> Total:  # type: ignore[override]
        await asyncio.sleep(0)
        return super().step(action, timeout_s)


class WalkEnv(CounterEnv):
    """Plays `Walk`."""


walks = pytest.mark.parametrize("walk", [(Walk, "thread"), (Walk, "inline"), (AsyncWalk, "thread")], ids=str)


def run(url: str, autoreset: str, seed: int | None, steps: int, **options: Any) -> list[list[StepResult[Total]]]:
    """Play three lanes and return the results of each step, those of reset first."""
    with WalkEnv(url).sync().lanes(3, autoreset) as envs:
        rounds: Any = [envs.reset(seed=seed, **options), *(envs.step([Count(amount=1)] * 3) for _ in range(steps))]
    assert all(isinstance(result, StepResult) for results in rounds for result in results)
    return rounds  # type: ignore[no-any-return]


def labels(rounds: list[list[StepResult[Total]]]) -> list[list[str]]:
    """Return the episodes of each lane, in their order."""
    seen: list[list[str]] = [
        list(dict.fromkeys(result.observation.label for result in lane)) for lane in zip(*rounds, strict=True)
    ]
    return seen


@walks
def test_same_step_goes_on_at_once_and_tells_how_the_episode_ended(walk: tuple[type[Walk], str]) -> None:
    with running(create_app(walk[0], isolation=walk[1], lane_threads=2)) as url:
        rounds = run(url, "same_step", 7, 6, length=3)
        for number, results in enumerate(rounds):
            for first, result in zip(rounds[0], results, strict=True):
                ends = number in (3, 6)
                assert (result.done, result.truncated, result.reward) == (
                    ends,
                    ends or None,
                    (number - 1) % 3 + 2 if number else None,
                )
                assert result.observation.total == number % 3
                if not ends:
                    assert result.final is None
                    continue
                assert result.observation.metadata == {"of": "reset"}
                assert result.final is not None
                assert (result.final.observation.total, result.final.reward, result.final.done) == (3, 4, True)
                assert (result.final.observation.label == first.observation.label) == (number == 3)
        check_seeds(url, rounds, "same_step", 6, length=3)


@walks
def test_next_step_begins_the_episode_in_place_of_an_action(walk: tuple[type[Walk], str]) -> None:
    with running(create_app(walk[0], isolation=walk[1], lane_threads=2)) as url:
        rounds = run(url, "next_step", 7, 8, length=3)
        for number, results in enumerate(rounds):
            for result in results:
                assert result.final is None
                assert result.observation.total == number % 4
                assert (result.done, result.reward) == (number % 4 == 3, number % 4 + 1 if number % 4 else None)
        check_seeds(url, rounds, "next_step", 8, length=3)


def check_seeds(url: str, rounds: list[list[StepResult[Total]]], autoreset: str, steps: int, **options: Any) -> None:
    """Play again: the first seed decides those of all episodes, each another, and the arguments stay."""
    episodes = labels(rounds)
    assert [lane[0] for lane in episodes] == ["7 3", "8 3", "9 3"]
    assert all(len(lane) == 3 and all(label.endswith(" 3") and "None" not in label for label in lane) for lane in episodes)
    assert len({label for lane in episodes for label in lane}) == 9
    assert labels(run(url, autoreset, 7, steps, **options)) == episodes
    assert labels(run(url, autoreset, 8, steps, **options))[:2] == episodes[1:]
    assert labels(run(url, autoreset, None, steps, **options)) == [["None 3"]] * 3


@walks
def test_without_autoreset_a_step_after_the_end_is_an_error(walk: tuple[type[Walk], str]) -> None:
    with running(create_app(walk[0], isolation=walk[1])) as url, WalkEnv(url).sync().lanes(2) as envs:
        envs.reset(length=2)
        envs.step([Count()], lanes=[1])
        ended, other = envs.step([Count(), Count()])[::-1]
        assert isinstance(ended, StepResult)
        assert isinstance(other, StepResult)
        assert (ended.done, other.done) == (True, False)
        other, ended = envs.step([Count(), Count()])
        assert isinstance(other, StepResult)
        assert isinstance(ended, ExecutionError)
        assert "reset()" in ended.message


@walks
def test_an_episode_that_cannot_go_on_is_told_with_how_it_ended(walk: tuple[type[Walk], str]) -> None:
    with running(create_app(walk[0], isolation=walk[1])) as url, WalkEnv(url).sync().lanes(2, "same_step") as envs:
        envs.reset(lanes=[0], length=1, once=True)
        envs.reset(lanes=[1], length=1)
        failed, other = envs.step([Count(), Count()])
        assert isinstance(other, StepResult)
        assert isinstance(failed, ExecutionError)
        assert (failed.details["final"]["reward"], failed.details["final"]["done"]) == (1, True)
        failed, other = envs.step([Count(), Count()])
        assert isinstance(failed, ExecutionError)
        assert isinstance(other, StepResult)


async def test_lanes_are_had_all_or_none_and_first_come_first_served(codec: str) -> None:
    app = create_app(Counter, max_concurrent_envs=4)
    registry = app.state.registry
    with running(app) as url:
        async with speaking(url, codec) as first, speaking(url, codec) as many, speaking(url, codec) as one:
            await begin(first, 3)
            refusal = await many.ask("lanes", 1, {"count": 5})
            assert refusal["data"]["code"] == "CAPACITY_REACHED"
            assert "retry_after_s" not in refusal["data"]
            await many.say("lanes", 2, {"count": 2})
            wait_until(lambda: registry.slots_awaited == 2)
            await one.say("reset", 1)
            wait_until(lambda: registry.slots_awaited == 3)
            assert registry.slots_taken == 3
            await first.say("close")
            assert (await many.hear())["data"]["count"] == 2
            assert (await one.hear())["type"] == "observation"
            wait_until(lambda: registry.slots_taken == 3)


async def test_lanes_that_come_too_late_take_nothing(codec: str) -> None:
    app = create_app(Counter, max_concurrent_envs=3, queue_timeout_s=0.3)
    registry = app.state.registry
    with running(app) as url:
        async with speaking(url, codec) as first, speaking(url, codec) as second:
            await begin(first, 2)
            for number, deadline_s, code in ((1, 30, "CAPACITY_REACHED"), (2, 0.05, "TIMEOUT"), (3, 30, "CANCELLED")):
                await second.say("lanes", number, {"count": 2}, deadline_s=deadline_s)
                if code == "CANCELLED":
                    wait_until(lambda: registry.slots_awaited == 2)
                    await second.say("cancel", data={"id": number})
                reply = await second.hear()
                assert (reply["id"], reply["data"]["code"]) == (number, code)
            assert (registry.slots_taken, registry.slots_awaited) == (2, 0)
            await first.say("close")
            wait_until(lambda: registry.slots_taken == 0)
            assert (await second.ask("lanes", 4, {"count": 3}))["type"] == "lanes"


async def test_lanes_given_up_in_the_same_breath_can_be_made_again(codec: str) -> None:
    with running(create_app(Counter)) as url:
        async with speaking(url, codec) as client:
            for number in range(1, 6):
                await client.say("lanes", number, {"count": 2})
                await client.say("cancel", data={"id": number})
                reply = await client.hear()
                assert reply["id"] == number
                if reply["type"] == "lanes":
                    return
                assert reply["data"]["code"] == "CANCELLED"
            assert (await client.ask("lanes", 6, {"count": 2}))["type"] == "lanes"


class Gated(Counter):
    """Is built when the test lets it."""

    gate: ClassVar[threading.Event] = threading.Event()

    def __init__(self) -> None:
        super().__init__()
        Gated.gate.wait(10)


async def test_a_deadline_of_lanes_is_kept_while_they_are_built(codec: str) -> None:
    Gated.gate.clear()
    app = create_app(Gated, max_concurrent_envs=2)
    with running(app) as url:
        try:
            async with speaking(url, codec) as client:
                late = await client.ask("lanes", 1, {"count": 2}, deadline_s=0.05)
                assert (late["data"]["code"], late["data"]["started"]) == ("TIMEOUT", False)
        finally:
            Gated.gate.set()
        wait_until(lambda: app.state.registry.slots_taken == 0)


@pytest.mark.parametrize("leave", ["close", "cut", "cut while they are made"])
async def test_every_slot_comes_back(codec: str, leave: str) -> None:
    app = create_app(SlowToMake, max_concurrent_envs=6, lane_threads=2, resume_window_s=0.1)
    alive = Counter.count_from_now()
    with running(app) as url:
        async with speaking(url, codec) as client:
            if leave == "cut while they are made":
                await client.say("lanes", 1, {"count": 6})
                wait_until(lambda: app.state.registry.slots_taken == 6)
            else:
                await begin(client, 6)
            assert app.state.registry.slots_taken == 6
            await (client.say("close") if leave == "close" else client.vanish())
            wait_until(lambda: app.state.registry.slots_taken == 0)
            wait_until(lambda: alive() == 0)
            assert len(app.state.registry) == 0


class SlowToMake(Counter):
    """Takes a moment to be built."""

    def __init__(self) -> None:
        super().__init__()
        time.sleep(0.02)


@pytest.mark.parametrize("settings", [{"lane_threads": 1}, {"lane_threads": 3}, {"isolation": "inline"}], ids=str)
@pytest.mark.parametrize("broken", [1, 3, 5])
async def test_a_lane_that_cannot_be_built_leaves_none(codec: str, settings: dict[str, Any], broken: int) -> None:
    built = count(1)

    class Unlucky(Counter):
        def __init__(self) -> None:
            if next(built) == broken:
                raise OSError("out of order")
            super().__init__()

    alive = Counter.count_from_now()
    app = create_app(Unlucky, max_concurrent_envs=5, **settings)
    with running(app) as url:
        async with speaking(url, codec) as client:
            reply = await client.ask("lanes", 1, {"count": 5})
            assert (reply["data"]["code"], "out of order" in reply["data"]["message"]) == ("FACTORY_ERROR", True)
            assert app.state.registry.slots_taken == 0
            assert alive() == 0
            assert (await client.ask("lanes", 2, {"count": 5}))["type"] == "lanes"
            reply = await client.ask("reset", 3, lanes=[4, 0])
            assert [told(entry) for entry in reply["data"]] == [0, 0]


@pytest.mark.parametrize("given_up", ["deadline", "cancel", "setting"])
async def test_a_lane_that_blocks_takes_its_crew_with_it_and_no_other(codec: str, name: str, given_up: str) -> None:
    settings: dict[str, Any] = {"step_timeout_s": 0.3} if given_up == "setting" else {}
    names = [f"{name}-{lane}" for lane in ALL]
    begins = [{"episode_id": each} for each in names]
    with running(create_app(Journal, lane_threads=2, **settings)) as url:
        async with speaking(url, codec) as client:
            await client.ask("lanes", 1, {"count": 4})
            await client.ask("reset", 2, begins, lanes=ALL)
            built = Journal.built
            data = [step_of(1, gate=name), *[step_of(1)] * 3]
            await client.say("step", 3, data, lanes=ALL, deadline_s=0.3 if given_up == "deadline" else 30)
            assert [written(entry) for entry in (await client.ask("step", 4, [step_of(2)], lanes=[3]))["data"]] == [[1, 2]]
            if given_up == "cancel":
                wait_until(lambda: Journal.steps[names[2]] == [1])
                await client.say("cancel", data={"id": 3})
            late = ("CANCELLED" if given_up == "cancel" else "TIMEOUT", True)
            reply = await client.hear()
            assert (reply["id"], [written(entry) for entry in reply["data"]]) == (3, [late, late, [1], [1]])
            stuck = ("SESSION_STUCK", None)
            reply = await client.ask("step", 5, [step_of(3)] * 4, lanes=ALL)
            assert [written(entry) for entry in reply["data"]] == [stuck, stuck, [1, 3], [1, 2, 3]]
            reply = await client.ask("reset", 6, begins[:1], lanes=[0])
            assert [written(entry) for entry in reply["data"]] == [[]]
            assert Journal.built == built + 2
            reply = await client.ask("step", 7, [step_of(4)] * 4, lanes=ALL)
            assert [written(entry) for entry in reply["data"]] == [[4], stuck, [1, 3, 4], [1, 2, 3, 4]]
            assert told((await client.ask("state", 8, lanes=[1]))["data"][0]) == stuck
            await client.ask("reset", 9, [{"episode_id": f"{name}-again"}], lanes=[1])
            reply = await client.ask("step", 10, [step_of(5)] * 2, lanes=[1, 0])
            assert [written(entry) for entry in reply["data"]] == [[5], [4, 5]]
            closed = Journal.closed[names[0]]
            Journal.gates[name].set()
            wait_until(lambda: Journal.closed[names[0]] == closed + 1)
            assert Journal.closed[names[2]] == 0


def meeting(parties: int) -> type[Counter]:
    """Return an environment that waits on request, for a gate or for so many of its kind."""

    class Meeting(Counter):
        barrier = threading.Barrier(parties)
        gate = threading.Event()

        def step(self, action: Count, timeout_s: float | None = None) -> Total:
            if action.fail == "meet":
                self.barrier.wait(5)
            if action.fail == "wait":
                assert self.gate.wait(20)
            return super().step(action)

    return Meeting


@pytest.mark.parametrize("quick_steps", [0, 3])
async def test_crews_run_side_by_side(codec: str, quick_steps: int) -> None:
    with running(create_app(meeting(4), lane_threads=4)) as url:
        async with speaking(url, codec) as client:
            number = await begin(client, 4, quick_steps)
            reply = await client.ask("step", number, [payload(amount=1, fail="meet")] * 4, lanes=ALL)
            assert [told(entry) for entry in reply["data"]] == [1] * 4


@pytest.mark.parametrize("quick_steps", [0, 3])
async def test_lanes_on_the_event_loop_wait_side_by_side(codec: str, quick_steps: int) -> None:
    class Together(AsyncCounter):
        barrier = asyncio.Barrier(12)

        async def step(self, action: Count, timeout_s: float | None = None) -> Total:  # type: ignore[override]
            if action.fail == "meet":
                async with asyncio.timeout(5):
                    await self.barrier.wait()
            return await super().step(action)

    with running(create_app(Together)) as url:
        async with speaking(url, codec) as client:
            number = await begin(client, 12, quick_steps)
            reply = await client.ask("step", number, [payload(amount=1, fail="meet")] * 12, lanes=list(range(12)))
            assert [told(entry) for entry in reply["data"]] == [1] * 12


async def test_crews_that_have_not_begun_when_a_step_is_given_up_are_not_lost(codec: str) -> None:
    environment = meeting(4)
    with running(create_app(environment, lane_threads=4)) as url:
        async with speaking(url, codec) as client:
            number = await begin(client, 4, 3)
            await client.say("step", number, [payload(fail="wait"), *counts(1, 1, 1)], lanes=ALL)
            await client.say("cancel", data={"id": number})
            first, *others = (await client.hear())["data"]
            assert told(first) == ("CANCELLED", True)
            assert all(told(entry) in (("CANCELLED", False), 1) for entry in others)
            reply = await client.ask("step", number + 1, counts(2, 2, 2), lanes=ALL[1:])
            assert [told(now) for now in reply["data"]] == [3 if told(entry) == 1 else 2 for entry in others]
            environment.gate.set()  # type: ignore[attr-defined]


@pytest.mark.timeout(60)
@pytest.mark.parametrize("deed", ["leave", "segfault", "loop"])
def test_a_process_that_ends_leaves_the_other_lanes(deed: str) -> None:
    def sights(results: Any) -> list[Any]:
        return [type(each) if isinstance(each, OpenEnvError) else each.observation["total"] for each in results]

    app = create_app(Faulty, isolation="process", warm_processes=0, max_concurrent_envs=3)
    with running(app) as url, GenericEnvClient(url).sync().lanes(3) as envs:
        first: Any = envs.reset(seed=10)
        add = {"kind": "add", "amount": 1}
        results = envs.step([add, {"kind": deed, "amount": 3}, add], timeout_s=1 if deed == "loop" else 20)
        error = StepTimeout if deed == "loop" else EnvironmentCrashed
        assert sights(results) == [11, error, 13]
        after = envs.step([add] * 3)
        assert (sights(after)[0], sights(after)[2]) == (12, 14)
        assert isinstance(after[1], OpenEnvError)
        assert sights(envs.reset(seed=20, lanes=[1])) == [21]
        last: Any = envs.step([add] * 3)
        assert sights(last) == [13, 22, 15]
        processes = [[result.observation["process"] for result in results] for results in (first, last)]
        assert [one == other for one, other in zip(*processes, strict=True)] == [True, False, True]
        assert app.state.registry.slots_taken == 3
    wait_until(lambda: app.state.registry.slots_taken == 0)


class Volumes(Journal):
    """Journals that their seeds tell apart."""

    def reset(self, seed: int | None = None, episode_id: str | None = None) -> Any:
        return super().reset(seed, f"{episode_id}/{seed}")


class Caller:
    """Lanes behind one face, awaited in a loop of their own or blocking."""

    def __init__(self, lanes: Lanes[Any, Any, Any], *, awaited: bool) -> None:
        self.lanes = lanes
        self._runner = asyncio.Runner() if awaited else None

    def __getattr__(self, method: str) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            if self._runner is None:
                return getattr(self.lanes, method)(*arguments, **options)

            async def run() -> Any:
                return await getattr(self.lanes, method)(*arguments, **options)

            return self._runner.run(run())

        return call


@contextmanager
def calling(lanes: Lanes[Any, Any, Any], *, awaited: bool) -> Iterator[Caller]:
    """Call lanes, and close them in the end."""
    caller = Caller(lanes, awaited=awaited)
    try:
        yield caller
    finally:
        caller.close()
        if caller._runner is not None:
            caller._runner.close()


worlds = pytest.mark.parametrize("awaited", [True, False], ids=["awaited", "blocking"])
_names = count()


def play(url: str, *, awaited: bool, may_fail_to_connect: bool = False) -> None:
    """Play three lanes and compare what the client was told with what the environments did."""
    name = f"volumes-{next(_names)}"
    steps = [[1, 2, 3], [4, 5, 6], [7, 8, 9]]
    with calling(JournalEnv(url, message_timeout_s=20).lanes(3), awaited=awaited) as envs:
        try:
            envs.reset(seed=0, episode_id=name)
        except ConnectError:
            assert may_fail_to_connect
            envs.reset(seed=0, episode_id=name)
        for number, step in enumerate(steps, 1):
            results = envs.step([Note(number=each) for each in step])
            assert [(result.observation.number, result.reward) for result in results] == [(each, each) for each in step]
            assert [result.observation.written for result in results] == [
                list(lane) for lane in zip(*steps[:number], strict=True)
            ]
        results = envs.step([Note(number=10), Note(number=11)], lanes=[2, 0])
        assert [result.observation.written for result in results] == [[3, 6, 9, 10], [1, 4, 7, 11]]
    assert [Journal.steps[f"{name}/{seed}"] for seed in range(3)] == [[1, 4, 7, 11], [2, 5, 8], [3, 6, 9, 10]]
    assert [Journal.resets[f"{name}/{seed}"] for seed in range(3)] == [1, 1, 1]


def strides() -> pytest.MarkDecorator:
    long = pytest.param(3, id="long", marks=[pytest.mark.long, pytest.mark.timeout(900)])
    return pytest.mark.parametrize("stride", [pytest.param(131, id="short"), long])


@strides()
@worlds
@pytest.mark.parametrize("cut", [Cut.RESET, Cut.HALF_CLOSE], ids=lambda cut: cut.name.lower())
def test_lanes_whose_connection_is_cut_anywhere_do_every_step_once(awaited: bool, cut: Cut, stride: int) -> None:
    app = create_app(Volumes, lane_threads=2, resume_window_s=2)
    with running(app) as url, cutting_proxy(url) as proxy:
        whole, greeting = lengths(proxy, awaited=awaited)
        for way in (UP, DOWN):
            for at in range(0, whole[way], stride):
                proxy.script([Fault(way, at, cut)])
                play(proxy.url, awaited=awaited, may_fail_to_connect=at <= greeting[way])
                assert len(proxy.links) > 1, f"{way} {at}: nothing was cut"
        wait_until(lambda: app.state.registry.slots_taken == 0, 20)


def lengths(proxy: CuttingProxy, *, awaited: bool) -> tuple[dict[str, int], dict[str, int]]:
    """Return how many bytes pass in a whole play without its goodbye, and at most before a client is greeted."""
    proxy.script()
    play(proxy.url, awaited=awaited)
    link = proxy.links[-1]
    whole = {UP: link.passed[UP] - 8, DOWN: link.passed[DOWN] - 4}
    assert min(whole.values()) > 700
    return whole, {UP: len(link.head), DOWN: 800}


@contextmanager
def server_of(env: type[Environment[Any, Any, Any]]) -> Iterator[str]:
    with running(create_app(env)) as url:
        yield url


@pytest.mark.parametrize("place", ["socket", "sync", "local"])
@worlds
def test_a_client_plays_lanes(awaited: bool, place: str) -> None:
    with running(create_app(Counter, lane_threads=2)) as url:
        client = CounterEnv.from_environment(Counter) if place == "local" else CounterEnv(url)
        lanes: Any = client.sync().lanes(4) if place == "sync" else client.lanes(4)
        with calling(lanes, awaited=awaited and place != "sync") as envs:
            assert len(lanes) == 4
            assert [result.observation.label for result in envs.reset(seed=5, start=1)] == ["start"] * 4
            assert [state.seed for state in envs.state()] == [5, 6, 7, 8]
            results = envs.step([Count(amount=amount) for amount in (1, 2, -3, 4)])
            assert [result.observation.total for result in (results[0], results[1], results[3])] == [2, 3, 5]
            assert isinstance(results[2], ExecutionError)
            assert [state.total for state in envs.state(lanes=[3, 0])] == [5, 2]
            envs.reset(seed=[30, None], lanes=[3, 1])
            assert [(state.seed, state.total) for state in envs.state()] == [(5, 2), (None, 0), (7, 1), (30, 0)]
            envs.reset(seed=100, lanes=[2])
            assert [state.seed for state in envs.state(lanes=[2])] == [102]
            assert [type(each) for each in envs.reset(lanes=[1], nonsense=1)] == [InvalidActionError]
            assert [result.observation.total for result in envs.step([Count(amount=5)] * 2, lanes=[1, 0])] == [5, 7]
            wrong: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
                ("step", ([Count()] * 3,), {}),
                ("step", ([Count()],), {"lanes": [4]}),
                ("step", ([Count()] * 2,), {"lanes": [1, 1]}),
                ("step", ([],), {"lanes": []}),
                ("step", ([Count(), Count(), Count(), 7],), {}),
                ("reset", (), {"seed": [1, 2]}),
                ("state", (), {"lanes": [-1]}),
            ]
            for method, arguments, options in wrong:
                with pytest.raises(UsageError):
                    getattr(envs, method)(*arguments, **options)
            assert [state.total for state in envs.state()] == [7, 5, 0, 0]


def test_lanes_are_for_a_client_that_is_not_connected_yet(counter_url: str) -> None:
    with CounterEnv(counter_url).sync() as env:
        env.reset()
        with pytest.raises(UsageError, match="not connected yet"):
            env.lanes(2)
    client = CounterEnv(counter_url)
    for wrong in ((0,), (True,), (2, "sometimes")):
        with pytest.raises(UsageError):
            client.lanes(*wrong)
    with client.lanes(2), pytest.raises(UsageError, match="not connected yet"):
        client.lanes(2)


@worlds
def test_a_lost_session_is_made_anew_by_a_reset_lane_by_lane(awaited: bool) -> None:
    app = create_app(Counter, idle_timeout_s=0.2)
    with running(app) as url, calling(CounterEnv(url).lanes(3), awaited=awaited) as envs:
        with pytest.raises(UsageError, match="reset"):
            envs.step([Count()] * 3)
        envs.reset()
        assert [result.reward for result in envs.step([Count(amount=1)] * 3)] == [1, 1, 1]
        wait_until(lambda: len(app.state.registry) == 0)
        for _ in range(2):
            with pytest.raises(SessionLost):
                envs.step([Count()] * 3)
        assert [result.observation.label for result in envs.reset(lanes=[1])] == ["start"]
        with pytest.raises(UsageError, match=r"0, 2"):
            envs.step([Count()] * 3)
        assert [result.observation.total for result in envs.step([Count(amount=2)], lanes=[1])] == [2]
        envs.reset(lanes=[2, 0])
        assert [result.observation.total for result in envs.step([Count(amount=3)] * 3)] == [3, 5, 3]


async def test_after_a_call_that_was_given_up_every_lane_is_reset_before_its_next_step(counter_url: str) -> None:
    async with CounterEnv(counter_url).lanes(2) as envs:
        await envs.reset()
        step = asyncio.ensure_future(envs.step([Count(sleep_s=0.3), Count(amount=1)]))
        await asyncio.sleep(0.1)
        step.cancel()
        await asyncio.wait([step])
        await envs.reset(lanes=[0])
        with pytest.raises(UsageError, match="1"):
            await envs.step([Count(amount=1)], lanes=[1])
        await envs.reset(lanes=[1])
        stepped = await envs.step([Count(amount=1)] * 2)
        assert [result.observation.total for result in stepped if isinstance(result, StepResult)] == [1, 1]


@worlds
def test_lanes_wait_for_their_slots_and_say_when_there_are_none(awaited: bool) -> None:
    app = create_app(Counter, max_concurrent_envs=4, queue_timeout_s=0.1)
    with running(app) as url, CounterEnv(url).lanes(3) as held:
        held.reset()
        with calling(CounterEnv(url).lanes(2), awaited=awaited) as envs:
            with pytest.raises(CapacityReached):
                envs.reset()
            assert app.state.registry.slots_taken == 3
            held.close()
            assert len(envs.reset()) == 2


class Older:
    """A server that speaks version 1 only."""

    heard: ClassVar[list[str | bytes]] = []

    @classmethod
    def answer(cls, socket: ServerConnection) -> None:
        cls.heard.extend(socket)


@worlds
@pytest.mark.parametrize("where", ["http", "version 1", "one instance"])
def test_where_there_can_be_no_lanes(awaited: bool, where: str) -> None:
    instance = Counter()
    with (
        running(create_app(instance if where == "one instance" else Counter)) as newer,
        blocking_server(Older.answer) as older,
    ):
        client = CounterEnv(older if where == "version 1" else newer, transport="http" if where == "http" else "websocket")
        with calling(client.lanes(2), awaited=awaited) as envs, pytest.raises(NotSupportedError):
            envs.reset()
    assert Older.heard == []
    instance.close()


@pytest.mark.parametrize("place", ["socket", "local"])
async def test_render_gives_the_picture(url: str, name: str, place: str) -> None:
    async with JournalEnv.from_environment(Journal) if place == "local" else JournalEnv(url) as env:
        await env.reset(episode_id=name)
        for number in (3, 1):
            await env.step(Note(number=number))
        assert await env.render() == {"text/plain": "3 1"}
    with (JournalEnv.from_environment(Journal) if place == "local" else JournalEnv(url)).sync() as blocking:
        blocking.reset(episode_id=name)
        assert blocking.render() == {"text/plain": "3 1"}
    with CounterEnv.from_environment(Counter).sync() as bare:
        bare.reset()
        with pytest.raises(NotSupportedError):
            bare.render()

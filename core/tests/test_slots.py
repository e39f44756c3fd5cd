"""Slots on their own: exact order, and none lost whatever happens in the same moment."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openenv.errors import CapacityReached, ShuttingDown
from openenv.sessions.slots import Slots


class Crowd:
    """Tasks that take slots, and the order in which they got them."""

    def __init__(self, slots: Slots) -> None:
        self.slots = slots
        self.tasks: list[asyncio.Task[None]] = []
        self.served: list[int] = []
        self.holding = 0

    def arrive(self, _: int = 0) -> None:
        self.tasks.append(asyncio.ensure_future(self._take(len(self.tasks))))

    async def _take(self, name: int) -> None:
        await self.slots.take()
        self.served.append(name)
        self.holding += 1

    def leave(self, name: int) -> None:
        if self.tasks:
            self.tasks[name % len(self.tasks)].cancel()

    def give_back(self, _: int = 0) -> None:
        if self.holding:
            self.holding -= 1
            self.slots.give_back()

    async def all_served(self) -> None:
        while any(not task.done() for task in self.tasks):
            self.give_back()
            await asyncio.sleep(0)


MOVES = st.lists(
    st.tuples(st.sampled_from(["arrive", "arrive", "leave", "give_back", "give_back", "pause"]), st.integers(0, 40)),
    max_size=80,
)


def played(capacity: int, moves: list[tuple[str, int]], turns: int) -> tuple[list[int], list[int]]:
    """Make the moves, with so many turns of the loop after each; return who was served, and who should have been."""

    async def play() -> tuple[list[int], list[int]]:
        slots = Slots(capacity, queue_timeout_s=60)
        crowd = Crowd(slots)
        for move, name in moves:
            if move == "pause":
                await asyncio.sleep(0)
            else:
                getattr(crowd, move)(name)
            assert crowd.holding <= slots.taken <= capacity
            for _ in range(turns):
                await asyncio.sleep(0)
        async with asyncio.timeout(5):
            await crowd.all_served()
        assert (slots.taken, slots.waiting) == (crowd.holding, 0)
        return crowd.served, [name for name, task in enumerate(crowd.tasks) if not task.cancelled()]

    return asyncio.run(play())


@given(st.integers(1, 3), MOVES)
@settings(max_examples=150, deadline=None)
def test_service_is_in_order_of_arrival(capacity: int, moves: list[tuple[str, int]]) -> None:
    served, arrived = played(capacity, moves, turns=2)
    assert served == arrived


@given(st.integers(1, 3), MOVES)
@settings(max_examples=150, deadline=None)
def test_no_slot_is_lost_or_made_when_all_happens_in_one_moment(capacity: int, moves: list[tuple[str, int]]) -> None:
    served, arrived = played(capacity, moves, turns=0)
    assert sorted(served) == arrived
    if capacity == 1:
        assert served == arrived


@pytest.mark.parametrize("first", ["give_back", "leave"])
@pytest.mark.parametrize("turns", range(4))
async def test_a_slot_handed_over_as_its_waiter_leaves_goes_to_the_next(first: str, turns: int) -> None:
    slots = Slots(1, queue_timeout_s=60)
    crowd = Crowd(slots)
    for _ in range(3):
        crowd.arrive()
    await asyncio.sleep(0)
    assert (crowd.served, slots.waiting) == ([0], 2)
    for move in ("give_back", "leave") if first == "give_back" else ("leave", "give_back"):
        getattr(crowd, move)(1)
        for _ in range(turns):
            await asyncio.sleep(0)
    async with asyncio.timeout(5):
        await crowd.all_served()
    assert crowd.served[-1] == 2
    assert (slots.taken, slots.waiting) == (crowd.holding, 0)


@pytest.mark.parametrize("turns", range(6))
async def test_a_slot_that_comes_as_time_is_up_is_not_lost(turns: int) -> None:
    slots = Slots(1, queue_timeout_s=0)
    crowd = Crowd(slots)
    crowd.arrive()
    crowd.arrive()
    for _ in range(turns):
        await asyncio.sleep(0)
    slots.give_back() if turns else None
    await asyncio.wait(crowd.tasks)
    error = crowd.tasks[1].exception()
    assert error is None or isinstance(error, CapacityReached)
    assert slots.taken == (1 if turns == 0 or error is None else 0)
    assert slots.waiting == 0


async def test_who_waits_when_the_server_stops_is_told() -> None:
    slots = Slots(1, queue_timeout_s=60)
    await slots.take()
    waiting = asyncio.ensure_future(slots.take())
    await asyncio.sleep(0)
    slots.close()
    for call in (waiting, slots.take()):
        with pytest.raises(ShuttingDown):
            await call
    assert (slots.taken, slots.waiting) == (1, 0)

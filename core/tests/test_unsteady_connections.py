"""Any sequence of calls over any sequence of failures: the environment's log is what its client was told."""

from __future__ import annotations

from contextlib import ExitStack
from itertools import count
from typing import Any, ClassVar

import pytest
from cutting_proxy import DOWN, UP, Cut, CuttingProxy, Fault, cutting_proxy
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from journal import Journal
from playing import Player
from serving import running

from openenv.server import create_app

_names = count()

ways = st.sampled_from([UP, DOWN])
cuts = st.sampled_from([Cut.RESET, Cut.FINISH, Cut.HALF_CLOSE])
paddings = st.sampled_from([0, 0, 0, 500, 70_000, 400_000])
positions = st.one_of(st.integers(0, 300), st.integers(0, 2000), st.integers(0, 300_000))


class Unsteady(RuleBasedStateMachine):
    """A client behind a proxy that fails."""

    proxy: ClassVar[CuttingProxy]
    awaited: ClassVar[bool]
    number_of_cuts: ClassVar[int] = 0

    def __init__(self) -> None:
        super().__init__()
        self.proxy.cut_all(Cut.RESET)
        self.proxy.script()
        self.player = Player(
            self.proxy.url,
            awaited=self.awaited,
            message_timeout_s=30,
            connect_timeout_s=1,
            websocket_ping_interval_s=0.3,
            websocket_ping_timeout_s=0.3,
        )
        self.name = ""
        self.told: list[int] = []

    @initialize()
    def connect(self) -> None:
        self.start()

    @rule()
    def start(self) -> None:
        """Begin an episode; faults that wait for the first connection would keep it from coming about."""
        self.name, self.told = f"unsteady-{next(_names)}", []
        assert self.player.reset(self.name).observation.written == []

    @rule(padding=paddings, reply_bytes=paddings)
    def step(self, padding: int, reply_bytes: int) -> None:
        number = len(self.told) + 1
        result = self.player.step(number, padding="x" * padding, reply_bytes=reply_bytes)
        self.told.append(result.observation.number)
        assert result.observation.written == self.told == list(range(1, number + 1))
        assert len(result.observation.padding) == reply_bytes

    @rule(size=st.integers(2, 90), reply_bytes=paddings.filter(lambda padding: padding < 100_000))
    def gather(self, size: int, reply_bytes: int) -> None:
        size = min(size, 10) if reply_bytes > 1000 else size
        numbers = [len(self.told) + each for each in range(1, size + 1)]
        for result in self.player.gather(numbers, reply_bytes=reply_bytes):
            self.told.append(result.observation.number)
            assert result.observation.written == self.told
        assert self.told[-size:] == numbers

    @rule()
    def state(self) -> None:
        state = self.player.state()
        assert (state.episode_id, state.step_count) == (self.name, len(self.told))

    @rule(cut=st.sampled_from([Cut.RESET, Cut.FINISH]), seconds=st.sampled_from([0.0, 0.0, 0.01, 0.1]))
    def cut_now(self, cut: Cut, seconds: float) -> None:
        self._count()
        self.proxy.cut_all(cut)
        self.player.rest(seconds)

    @rule(way=ways, at=positions, cut=cuts)
    def cut_at(self, way: str, at: int, cut: Cut) -> None:
        """Truncate what comes next in a direction, at some byte."""
        self._count()
        self.proxy.add(Fault(way, at, cut))

    @rule(faults=st.lists(st.builds(Fault, ways, positions, cuts), min_size=1, max_size=3))
    def cut_when_it_comes_back(self, faults: list[Fault]) -> None:
        self._count(1 + len(faults))
        self.proxy.then(*([fault] for fault in faults))
        self.proxy.cut_all(Cut.RESET)

    @rule(way=ways, at=st.integers(0, 500), seconds=st.sampled_from([0.01, 0.1]))
    def delay(self, way: str, at: int, seconds: float) -> None:
        self.proxy.add(Fault(way, at, Cut.DELAY, seconds))

    @rule(seconds=st.sampled_from([0.01, 0.1]))
    def stall(self, seconds: float) -> None:
        """Fall silent, and go on before anybody gives up."""
        self.proxy.cut_all(Cut.STALL)
        self.player.rest(seconds)
        self.proxy.release_all()

    @rule(way=ways, at=st.integers(0, 500))
    def half_open(self, way: str, at: int) -> None:
        """Fall silent for ever; only pings find out."""
        if Unsteady.number_of_cuts % 4 == 0:
            self._count()
            self.proxy.add(Fault(way, at, Cut.STALL))

    @invariant()
    def the_log_is_what_was_told(self) -> None:
        assert Journal.steps[self.name] == self.told
        assert Journal.resets[self.name] == (1 if self.name else 0)

    def teardown(self) -> None:
        self.proxy.script()
        self.player.close()

    def _count(self, cuts: int = 1) -> None:
        Unsteady.number_of_cuts += cuts


@pytest.mark.parametrize("awaited", [True, False], ids=["awaited", "blocking"])
@pytest.mark.parametrize(
    ("examples", "steps", "cuts_at_least"),
    [
        pytest.param(10, 25, 50, id="short"),
        pytest.param(120, 50, 1500, id="long", marks=[pytest.mark.long, pytest.mark.timeout(1800)]),
    ],
)
def test_whatever_happens_each_step_is_done_and_told_once(awaited: bool, examples: int, steps: int, cuts_at_least: int) -> None:
    options: dict[str, Any] = {"derandomize": True} if examples < 100 else {}
    with ExitStack() as stack:
        url = stack.enter_context(running(create_app(Journal, resume_window_s=20)))
        Unsteady.proxy, Unsteady.awaited, Unsteady.number_of_cuts = stack.enter_context(cutting_proxy(url)), awaited, 0
        run_state_machine_as_test(
            Unsteady,
            settings=settings(
                max_examples=examples,
                stateful_step_count=steps,
                deadline=None,
                database=None,
                print_blob=False,
                suppress_health_check=list(HealthCheck),
                **options,
            ),
        )
        print(f"{Unsteady.number_of_cuts} cuts")
        assert Unsteady.number_of_cuts >= cuts_at_least

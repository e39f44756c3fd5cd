"""Environments in processes of their own: what breaks one leaves the others, and the server, as they were."""

from __future__ import annotations

import asyncio
import functools
import gc
import importlib
import json
import logging
import os
import subprocess
import sys
import threading
import time
import types
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import uvloop
from faulty import MEBIBYTE, Faulty, SlowToBuild, Ticking, Unbuildable, nested
from serving import running, wait_until

from openenv import Environment, GenericEnvClient
from openenv.errors import (
    CallCancelled,
    EnvironmentCrashed,
    ExecutionError,
    FactoryError,
    InvalidActionError,
    OpenEnvError,
    SessionStuck,
    StepTimeout,
    UsageError,
)
from openenv.server import create_app
from openenv.sessions.isolation import Isolation
from openenv.sessions.processes.worker import ProcessWorker
from openenv.sessions.registry import Registry
from openenv.sessions.session import Session
from openenv.sessions.settings import Settings
from openenv.sessions.spec import environment_spec
from openenv.wire.messages import RESET, STATE, STEP, Request
from openenv.wire.values import encode

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="these faults are POSIX's"),
    pytest.mark.timeout(30),
]

SESSIONS = 16


@asynccontextmanager
async def registry(env: Any, **settings: Any) -> AsyncIterator[Registry]:
    opened = Registry(environment_spec(env), Settings(**{"isolation": "process", "warm_processes": 0, **settings}))
    try:
        yield opened
    finally:
        await opened.close()


@asynccontextmanager
async def worker(env: Any, **settings: Any) -> AsyncIterator[ProcessWorker]:
    isolation = Isolation(environment_spec(env), Settings(**{"isolation": "process", "warm_processes": 0, **settings}))
    opened = isolation.new_worker()
    assert isinstance(opened, ProcessWorker)
    try:
        await opened.open()
        yield opened
        await opened.close()
    finally:
        await isolation.close()


async def reset(session: Session, seed: int = 0) -> dict[str, Any]:
    return sight(await session.call(Request(RESET, {"seed": seed})))


async def step(session: Session, kind: str = "add", amount: int = 0) -> dict[str, Any]:
    return sight(await session.call(Request(STEP, {"kind": kind, "amount": amount})))


def sight(data: bytes) -> dict[str, Any]:
    observation: dict[str, Any] = json.loads(data)["observation"]
    return observation


async def play(session: Session, seed: int, *, until: asyncio.Event | None = None) -> None:
    """Play an episode, until something has happened, and check every total of it."""
    process = (await reset(session, seed))["process"]
    total, steps = seed, 0
    while steps < 20 or (until is not None and not until.is_set()):
        total, steps = total + steps, steps + 1
        seen = await step(session, "add", steps - 1)
        assert (seen["total"], seen["process"]) == (total, process)
        await asyncio.sleep(0.002)


def alive(process: int) -> bool:
    """Whether a process runs; one that has ended and waits to be reaped does not."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{process}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


CRASHES = {
    "leave": ((3, None), r"ended with exit code 3: leaving now$"),
    "segfault": ((-11, "SIGSEGV"), r"ended with signal SIGSEGV: Fatal Python error: Segmentation fault$"),
    "recurse_in_c": ((-11, "SIGSEGV"), r"ended with signal SIGSEGV"),
    "loop": ((-27, "SIGPROF"), r"used more than cpu_limit_s=0.1 of CPU time in one call"),
    "print_without_end": ((-27, "SIGPROF"), r"and was ended with signal SIGPROF: and on$"),
    "write_anywhere": ((-9, "SIGKILL"), r"was killed by its server"),
}
FAILURES = {
    "refuse": (0, r"^refused$"),
    "recurse": (0, r"^maximum recursion depth exceeded"),
    "allocate": (2000, r"^MemoryError in Faulty.step$"),
    "be_huge": (MEBIBYTE, r"it has 10487\d\d bytes, and a message may have 100000 \(max_message_bytes\)"),
}


@pytest.mark.parametrize(
    ("faults", "limits"),
    [
        (["leave", "segfault", "recurse_in_c", "write_anywhere", "refuse", "recurse"], {}),
        (["loop", "print_without_end"], {"cpu_limit_s": 0.1}),
        (["allocate"], {"memory_limit_mb": 256}),
        (["be_huge"], {"max_message_bytes": 100_000}),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, list) else "",
)
async def test_a_fault_in_one_of_16_sessions_leaves_the_15_others_alone(faults: list[str], limits: dict[str, Any]) -> None:
    async with registry(Faulty, **limits) as sessions:
        broken, *others = await asyncio.gather(*(sessions.open() for _ in range(SESSIONS)))
        async with asyncio.TaskGroup() as playing:
            over = asyncio.Event()
            for seed, session in enumerate(others):
                playing.create_task(play(session, seed, until=over))
            for fault in faults:
                before = (await reset(broken, 5))["process"]
                assert (await step(broken, amount=1))["total"] == 6
                await (crashes if fault in CRASHES else fails)(broken, fault, before)
            over.set()


async def crashes(session: Session, fault: str, process: int) -> None:
    """Crash a session's process, and see what the caller is told and how the session goes on."""
    (exit_code, ended_by), message = CRASHES[fault]
    for kind in (fault, "add"):
        with pytest.raises(EnvironmentCrashed, match=message) as raised:
            await step(session, kind, 3)
        details = raised.value.details
        assert (details["exit_code"], details["signal"]) == (exit_code, ended_by)
        assert "\n" not in raised.value.message
    if fault == "leave":
        assert details["stderr"] == [*(f"line {line}" for line in range(61, 100)), "leaving now"]
    assert (await reset(session, 7))["process"] != process
    assert not alive(process)
    assert (await step(session, amount=1))["total"] == 8


async def fails(session: Session, fault: str, process: int) -> None:
    """Have a call fail in a way that its process survives."""
    amount, message = FAILURES[fault]
    with pytest.raises(ExecutionError, match=message):
        await step(session, fault, amount)
    seen = await step(session, amount=1)
    assert (seen["total"], seen["process"]) == (7 + (amount if fault == "be_huge" else 0), process)


@pytest.mark.parametrize("process_start", ["fork", "spawn"])
async def test_a_killed_worker_is_well_again_after_a_reset(process_start: str) -> None:
    async with worker(Faulty, process_start=process_start) as killed:
        for deed in ("loop", "hold_the_interpreter"):
            before = sight(await killed.call(Request(RESET), encode))
            assert before["in_main_thread"]
            left_behind = int(sight(await killed.call(Request(STEP, {"kind": "leave_a_program"}), encode))["text"])
            endless = asyncio.ensure_future(killed.call(Request(STEP, {"kind": deed}), encode))
            await asyncio.sleep(0.1)
            killed.kill()
            with pytest.raises(EnvironmentCrashed, match="was killed by its server") as raised:
                await endless
            assert raised.value.details["signal"] == "SIGKILL"
            assert not alive(before["process"])
            wait_until(lambda program=left_behind: not alive(program))
            with pytest.raises(EnvironmentCrashed):
                await killed.call(Request(STATE), encode)


async def test_a_process_that_is_ready_as_its_taker_leaves_is_killed() -> None:
    async with worker(Faulty) as taken:
        await taken.close()
        opening = asyncio.ensure_future(taken.open())
        while taken._taking is None:
            await asyncio.sleep(0)
        taking = taken._taking
        taking.add_done_callback(lambda _: opening.cancel())
        with pytest.raises(asyncio.CancelledError):
            await opening
        process = taking.result()
        async with asyncio.timeout(5):
            await process.ended


async def test_killing_ends_a_building_that_hangs(tmp_path: Path) -> None:
    async with worker(functools.partial(Unbuildable, str(tmp_path))) as killed:
        (tmp_path / "hanging").touch()
        killed.kill()
        resetting = asyncio.ensure_future(killed.call(Request(RESET), encode))
        await asyncio.sleep(0.1)
        killed.kill()
        with pytest.raises(EnvironmentCrashed):
            await resetting
        (tmp_path / "hanging").unlink()
        assert sight(await killed.call(Request(RESET), encode))["total"] == 0


async def test_a_call_past_its_deadline_ends_the_process_and_a_reset_starts_another() -> None:
    async with registry(Faulty) as sessions:
        session = await sessions.open()
        before = (await reset(session))["process"]
        with pytest.raises(StepTimeout):
            await session.call(Request(STEP, {"kind": "hold_the_interpreter"}), deadline_s=0.2)
        with pytest.raises(SessionStuck):
            await step(session)
        assert (await reset(session, 4))["total"] == 4
        wait_until(lambda: not alive(before))


@pytest.mark.parametrize("process_start", ["fork", "spawn"])
async def test_an_async_environment_lives_on_its_own_loop(process_start: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "openenv.environment")
    async with registry(Ticking, process_start=process_start) as sessions:
        session = await sessions.open()
        ticks = (await reset(session))["total"]
        await asyncio.sleep(0.1)
        seen = await step(session)
        assert seen["total"] >= ticks + 5
        with pytest.raises(ExecutionError, match="CancelledError"):
            await step(session, "cancelled")
        with pytest.raises(ExecutionError, match="refused"):
            await step(session, "refuse")
        with pytest.raises(EnvironmentCrashed, match="exit code 4: leaving now"):
            await step(session, "leave", 4)
        await reset(session)
        with pytest.raises(InvalidActionError, match="amount") as raised:
            await session.call(Request(STEP, {"amount": "many"}))
        assert raised.value.errors[0]["loc"] == ["amount"]
        await sessions.end(session)
        assert "Ticking: the counting has ended" in caplog.messages


async def test_calls_run_in_order_even_when_their_callers_leave() -> None:
    async with worker(Faulty) as queued:
        await queued.call(Request(RESET), encode)
        calls = [asyncio.ensure_future(queued.call(Request(STEP, {"amount": amount}), encode)) for amount in range(10)]
        await asyncio.sleep(0)
        calls[3].cancel()
        outcomes = await asyncio.gather(*calls, return_exceptions=True)
        assert [sight(data)["total"] for data in outcomes if isinstance(data, bytes)] == [0, 1, 3, 10, 15, 21, 28, 36, 45]


@pytest.mark.parametrize("env", [Faulty, Ticking])
async def test_long_messages_cross_whole(env: Any) -> None:
    async with worker(env) as asked:
        await asked.call(Request(RESET), encode)
        action = {"kind": "be_huge", "amount": 3 * MEBIBYTE, "metadata": {"note": "y" * 3 * MEBIBYTE}}
        assert len(sight(await asked.call(Request(STEP, action), encode))["text"]) == 3 * MEBIBYTE


async def test_the_end_of_its_lifeline_ends_a_process_whatever_it_does() -> None:
    async with worker(Faulty, process_start="spawn") as cut:
        process = sight(await cut.call(Request(RESET), encode))["process"]
        endless = asyncio.ensure_future(cut.call(Request(STEP, {"kind": "loop"}), encode))
        await asyncio.sleep(0.1)
        (interpreter,) = cut._pool._starter._running.values()  # type: ignore[union-attr]
        interpreter._transport.get_pipe_transport(0).close()
        with pytest.raises(EnvironmentCrashed):
            await endless
        assert not alive(process)


async def test_forks_do_not_share_their_random_numbers() -> None:
    pytest.importorskip("numpy")
    from dice import Dice

    async with registry(Dice) as sessions:
        throws = [(await reset(await sessions.open()))["text"] for _ in range(5)]
        assert len(set(throws)) == 5


async def test_a_fork_server_that_dies_takes_its_sessions_and_the_next_reset_starts_another() -> None:
    async with registry(Faulty) as sessions:
        session = await sessions.open()
        seen = await reset(session)
        os.kill(seen["parent"], 9)
        with pytest.raises(EnvironmentCrashed):
            await step(session, "loop")
        again = await reset(session, 2)
        assert again["total"] == 2
        assert again["parent"] != seen["parent"]


WATCHED = """
import asyncio, sys
from faulty import Faulty
from test_process_isolation import registry, reset, step

async def main():
    async with registry(Faulty, process_start=sys.argv[1], warm_processes=1) as sessions:
        played = [await sessions.open() for _ in range(3)]
        first = [await reset(session) for session in played]
        print(*(seen["process"] for seen in first), first[0]["parent"], flush=True)
        await asyncio.gather(step(played[1], "loop"), step(played[2], "hold_the_interpreter"))

asyncio.run(main())
"""


@pytest.mark.parametrize("process_start", ["fork", "spawn"])
def test_processes_end_with_their_server_even_when_that_is_killed(process_start: str) -> None:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    command = [sys.executable, "-c", WATCHED, process_start]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as server:
        assert server.stdout is not None
        processes = [int(process) for process in server.stdout.readline().split()]
        assert len(processes) == 4
        time.sleep(0.3)
        assert all(alive(process) for process in processes)
        server.kill()
    wait_until(lambda: not any(alive(process) for process in processes))


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
@pytest.mark.parametrize("process_start", ["fork", "spawn"])
def test_a_closed_registry_leaves_nothing(run: Callable[..., None], process_start: str) -> None:
    processes: set[int] = set()

    async def use() -> None:
        async with registry(Faulty, process_start=process_start, warm_processes=1, close_timeout_s=0.3) as sessions:
            played = [await sessions.open() for _ in range(2)]
            first = [await reset(session) for session in played]
            processes.update(seen["process"] for seen in first)
            processes.update(seen["parent"] for seen in first if process_start == "fork")
            processes.add(int((await step(played[0], "leave_a_program"))["text"]))
            with pytest.raises(EnvironmentCrashed):
                await step(played[0], "leave")
            endless = asyncio.ensure_future(step(played[1], "loop"))
            await asyncio.sleep(0.1)
        with pytest.raises((EnvironmentCrashed, CallCancelled)):
            await endless

    def descriptors() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    run(asyncio.sleep(0.01))
    gc.collect()
    before, threads = descriptors(), set(threading.enumerate())
    run(use())
    gc.collect()
    assert set(threading.enumerate()) <= threads
    assert descriptors() <= before
    assert not any(alive(process) for process in processes)


async def test_a_warm_process_makes_opening_fast(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "openenv.environment")
    async with registry(SlowToBuild, warm_processes=2) as sessions:
        sessions.prepare()

        async def built(count: int) -> list[int]:
            """The processes whose environments are built, once they are so many."""
            async with asyncio.timeout(10):
                while len(said := [line for line in caplog.messages if line.startswith("SlowToBuild: built")]) < count:
                    await asyncio.sleep(0.01)
            return [int(line.split()[-1]) for line in said]

        await built(2)
        assert len(sessions) == 0
        began = time.monotonic()
        first, second = await sessions.open(), await sessions.open()
        assert time.monotonic() - began < SlowToBuild.BUILD_S / 2
        assert (await reset(first))["process"] != (await reset(second))["process"]
        assert len(sessions) == 2
        for process in await built(4):
            os.kill(process, 9)
        await asyncio.sleep(0.1)
        assert (await reset(await sessions.open(), 3))["total"] == 3


async def test_building_ahead_that_fails_is_tried_seldom(tmp_path: Path) -> None:
    (tmp_path / "broken").touch()
    async with registry(functools.partial(Unbuildable, str(tmp_path)), warm_processes=2) as sessions:
        sessions.prepare()
        tries = tmp_path / "tries"
        async with asyncio.timeout(10):
            while not tries.exists() or tries.read_text() != "xx":
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.5)
        assert tries.read_text() == "xx"
        with pytest.raises(FactoryError, match="Unbuildable could not be built: OSError: out of order"):
            await sessions.open()
        (tmp_path / "broken").unlink()
        (tmp_path / "deadly").touch()
        with pytest.raises(FactoryError, match=r"Unbuildable could not be built: .* ended with exit code 5: too bad$"):
            await sessions.open()
        (tmp_path / "deadly").unlink()
        assert (await reset(await sessions.open(), 3))["total"] == 3


async def test_a_module_is_found_where_the_server_found_it(tmp_path: Path) -> None:
    (tmp_path / "rules.py").write_text("START = 7")
    (tmp_path / "games.py").write_text(
        "from faulty import Faulty\nfrom .rules import START\n"
        "class Found(Faulty):\n    def __init__(self): super().__init__(START)\n"
    )
    package = types.ModuleType("elsewhere")
    package.__path__ = [str(tmp_path)]
    sys.modules["elsewhere"] = package
    try:
        async with registry(importlib.import_module("elsewhere.games").Found) as sessions:
            assert (await reset(await sessions.open(), 2))["total"] == 9
        (tmp_path / "rules.py").unlink()
        for process_start in ("fork", "spawn"):
            async with registry(sys.modules["elsewhere.games"].Found, process_start=process_start) as sessions:
                with pytest.raises(FactoryError, match=r"No module named 'elsewhere.rules'$"):
                    await sessions.open()
    finally:
        for name in ("elsewhere.rules", "elsewhere.games", "elsewhere"):
            sys.modules.pop(name, None)


SCRIPT = """
from faulty import Faulty
from openenv.sessions.registry import Registry
from openenv.sessions.spec import environment_spec

class Mine(Faulty):
    ISOLATION = "process"

Registry(environment_spec(Mine))
"""


def written_in_a_script() -> None:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, env=environment, check=False)
    raise UsageError(done.stderr.splitlines()[-1])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: create_app(Faulty(), isolation="process"), "give create_app the class"),
        (lambda: create_app(lambda: Faulty(), isolation="process"), "<lambda> by its name: write it with class or def"),
        (lambda: create_app(nested(), isolation="process"), "Nested by its name: write it with class or def"),
        (written_in_a_script, "cannot find Mine of the script that was started: move it into a module"),
        (
            lambda: create_app(functools.partial(Faulty, start=threading.Lock()), isolation="process"),  # type: ignore[arg-type]
            "cannot hand Faulty to another process: cannot pickle '_thread.lock'",
        ),
        (lambda: create_app(Faulty, isolation="rope"), "isolation is 'rope': it may be 'inline', 'thread', 'process'"),
        (lambda: create_app(Faulty, memory_limit_mb=100), "needs isolation='process', which is 'thread' here"),
        (lambda: create_app(Faulty, isolation="process", cpu_limit_s=0), "cpu_limit_s must be above 0"),
    ],
)
def test_what_cannot_work_is_refused_when_the_app_is_made(make: Callable[[], object], message: str) -> None:
    with pytest.raises(UsageError) as raised:
        make()
    assert message in raised.value.message
    assert "\n" not in raised.value.message


def test_the_argument_goes_before_the_variable_and_that_before_the_class(monkeypatch: pytest.MonkeyPatch) -> None:
    class Isolated(Faulty):
        ISOLATION = "process"

    def refused(env: type[Environment[Any, Any, Any]], **settings: Any) -> bool:
        """Whether the environment was to cross to a process, which no nested class can."""
        try:
            create_app(env, **settings)
        except UsageError:
            return True
        return False

    assert refused(Isolated)
    assert not refused(nested())
    monkeypatch.setenv("OPENENV_ISOLATION", "inline")
    assert not refused(Isolated)
    assert refused(Isolated, isolation="process")
    monkeypatch.setenv("OPENENV_ISOLATION", "process")
    assert refused(nested())


async def test_inline_runs_on_the_loop_and_threads_do_not() -> None:
    for isolation, on_loop in (("inline", True), ("thread", False)):
        async with registry(Faulty, isolation=isolation, max_message_bytes=100_000) as sessions:
            session = await sessions.open()
            seen = await reset(session)
            assert (seen["process"], seen["in_main_thread"]) == (os.getpid(), on_loop)
            with pytest.raises(ExecutionError, match=r"it has 20\d\d\d\d bytes, and a message may have 100000"):
                await step(session, "be_huge", 200_000)
            assert sessions.capacity == 1
            await sessions.end(session)
    async with registry(Faulty) as sessions:
        assert sessions.capacity == 64


def test_a_client_is_told_how_its_environment_ended() -> None:
    with running(create_app(Faulty, isolation="process", warm_processes=1)) as url, GenericEnvClient(url).sync() as client:
        client.reset(seed=1)
        with pytest.raises(EnvironmentCrashed, match="exit code 3: leaving now") as raised:
            client.step({"kind": "leave", "amount": 3})
        assert raised.value.details["exit_code"] == 3
        assert raised.value.details["stderr"][-1] == "leaving now"
        with pytest.raises(OpenEnvError):
            client.step({"kind": "add"})
        assert client.reset(seed=2).observation["total"] == 2

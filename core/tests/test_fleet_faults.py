"""What goes wrong in a fleet itself, beside it and by its user: told once, and nobody waits for ever."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections import Counter as Tally
from pathlib import Path
from typing import Any, Self

import pytest
from counting import Count, CounterEnv
from fleets import Events, Processes, Standing, fleet_of
from server_process import alive
from serving import wait_until
from soak import below

from openenv.errors import LaunchError, OpenEnvError, SessionLost
from openenv.rollout import Fleet
from openenv.rollout.fleet.health import Health

OF_ITS_OWN = r"the fleet has stopped by a fault in its own code, TypeError: not so; the log has the traceback"


def run(program: str, *arguments: str, **options: Any) -> subprocess.Popen[str]:
    """Start a program that finds the modules of these tests."""
    path = os.pathsep.join(filter(None, [str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]))
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", textwrap.dedent(program), *arguments]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env={**os.environ, "PYTHONPATH": path}, **options)


async def until(condition: Any, timeout_s: float = 20.0) -> None:
    """As `wait_until`, for an event loop."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.01)


async def test_a_server_that_is_kept_after_all_gets_sessions_only_once_it_is_well() -> None:
    processes = Processes()
    async with fleet_of(processes, servers=2, health_timeout_s=4.5) as fleet:
        envs = [fleet.session() for _ in range(3)]
        for env in envs:
            await env.reset()
        ((victim, _),) = Tally(env.base_url for env in envs).most_common()[1:]

        def state() -> str:
            return next(server.state for server in fleet.status.servers if server.url == victim)

        pid = processes.kill(victim, signal.SIGSTOP)
        await until(lambda: state() == "unwell")
        await fleet.scale(1)
        await until(lambda: state() == "draining")
        await fleet.scale(2)
        assert state() == "unwell"
        async with fleet.session() as another:
            await another.reset()
            assert another.base_url != victim
        os.kill(pid, signal.SIGCONT)
        await until(lambda: state() == "ready")
        for env in envs:
            await env.close()


async def test_a_server_that_nobody_misses_any_more_is_not_said_to_be_replaced() -> None:
    processes, events = Processes(), Events()
    async with fleet_of(processes, events, 2, settled_after_s=0.01) as fleet:
        await asyncio.sleep(0.3)
        processes.kill(fleet.status.servers[0].url)
        await until(lambda: events.of("died"))
        await fleet.scale(1)
        await until(lambda: len(fleet.status.servers) == 1)
        await fleet.scale(2)
        await until(lambda: len(events.of("started")) == 3)
        assert events.of("replaced") == []


async def test_a_fleet_that_is_started_again_keeps_nothing_of_before(counter_url: str) -> None:
    def there() -> list[object]:
        gc.collect()
        return [one for one in gc.get_objects() if type(one).__name__ == "Overseer"]

    before = there()
    fleet = fleet_of(lambda: Standing(counter_url), servers=1)
    for _ in range(3):
        async with fleet:
            pass
    assert len([one for one in there() if all(one is not other for other in before)]) == 1


async def test_a_fault_in_its_own_code_stops_a_fleet_and_everybody_is_told(
    counter_url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*arguments: object) -> int:
        raise TypeError("not so")

    events = Events()
    fleet = fleet_of(lambda: Standing(counter_url), events, 1, sessions_per_server=1)
    with caplog.at_level(logging.ERROR, "openenv.fleet"):
        async with asyncio.timeout(20), fleet, fleet.session() as env:
            await env.reset(episode_id="a")
            waiting = asyncio.create_task(fleet.session()._connected())
            await until(lambda: fleet.status.waiting == 1)
            monkeypatch.setattr("openenv.rollout.fleet.scaling.Scaling.wanted", broken)
            with pytest.raises(OpenEnvError, match=OF_ITS_OWN):
                await waiting
            with pytest.raises(SessionLost, match=OF_ITS_OWN):
                await env.step(Count(amount=1))
            for later in (env.reset, fleet.session().reset):
                with pytest.raises(OpenEnvError, match=OF_ITS_OWN):
                    await later()
            with pytest.raises(OpenEnvError, match=OF_ITS_OWN):
                await fleet.scale(2)
    assert [event.episode_id for event in events.of("lost")] == ["a"]
    assert fleet.status.servers == ()
    assert caplog.text.count("Traceback") == 1
    with pytest.raises(OpenEnvError, match=OF_ITS_OWN):
        async with asyncio.timeout(20):
            await fleet_of(lambda: Standing(counter_url), servers=1).start()


async def test_the_least_load_that_there_can_be_asks_for_all_servers_and_for_no_more(counter_url: str) -> None:
    options: dict[str, Any] = {"min_servers": 1, "max_servers": 2, "target_load": 1e-320}
    async with fleet_of(lambda: Standing(counter_url), **options) as fleet, fleet.session() as env:
        await env.reset()
        await until(lambda: (fleet.status.wanted, fleet.status.ready) == (2, 2))


class OutOfQuota(LaunchError):
    """An error that is made in its own way."""

    def __init__(self, region: str, quota: int) -> None:
        super().__init__(f"{region} lets nobody have more than {quota}")


async def test_an_error_of_a_provider_s_own_is_told_to_everybody(counter_url: str) -> None:
    def nothing() -> Any:
        raise OutOfQuota("eu-1", 0)

    first = iter([Standing(counter_url)])
    async with asyncio.timeout(20):
        with pytest.raises(OutOfQuota, match="eu-1 lets nobody have more than 0"):
            await fleet_of(nothing, servers=1).start()
        fleet = fleet_of(lambda: next(first, None) or nothing(), servers=1, sessions_per_server=1, start_attempts=1)
        async with fleet, fleet.session() as env:
            await env.reset()
            waiting = asyncio.create_task(fleet.session(queue_timeout_s=0.3)._connected())
            with pytest.raises(LaunchError, match=r"1 servers in a row did not start.*the last: eu-1 lets nobody"):
                await fleet.scale(2)
            with pytest.raises(OpenEnvError, match="1 of 1 slots of 1 servers are taken"):
                await waiting


async def test_a_listener_that_ends_the_program_ends_no_fleet(counter_url: str, caplog: pytest.LogCaptureFixture) -> None:
    async with asyncio.timeout(20):
        fleet = Fleet(CounterEnv, lambda: Standing(counter_url), 1, on_event=lambda _: sys.exit("enough"))
        async with fleet, fleet.session() as env:
            await env.reset()
    assert "the listener to a fleet's events failed at 'started'" in caplog.text


async def test_a_provider_that_cannot_tell_is_told_of_once(counter_url: str, caplog: pytest.LogCaptureFixture) -> None:
    class Broken(Standing):
        asked = 0

        def is_running(self) -> bool:
            Broken.asked += 1
            raise KeyError("pid")

    async with fleet_of(lambda: Broken(counter_url), servers=1) as fleet, fleet.session() as env:
        await env.reset()
        await until(lambda: Broken.asked > 5)
    assert caplog.text.count("the provider of server-1 cannot tell whether it runs") == 1


async def test_a_start_that_is_broken_off_before_its_provider_exists_starts_nothing(counter_url: str) -> None:
    asked, released, started = threading.Event(), threading.Event(), []

    class Told(Standing):
        def start(self, *arguments: Any, **options: Any) -> str:
            started.append(self)
            return super().start()

    def slowly() -> Told:
        asked.set()
        released.wait(20)
        return Told(counter_url)

    first, events = iter([Standing(counter_url)]), Events()
    async with fleet_of(lambda: next(first, None) or slowly(), events, 1) as fleet:
        scaling = asyncio.create_task(_scaled(fleet, 2))
        await asyncio.to_thread(asked.wait, 20)
        await fleet.scale(1)
        await until(lambda: events.of("stopped"))
        released.set()
        await scaling
        await until(lambda: not [thread for thread in threading.enumerate() if thread.name == "openenv-fleet-server-2"])
    assert started == []


async def _scaled(fleet: Fleet[CounterEnv], number: int) -> None:
    await fleet.scale(number)


class Readers:
    """Three threads that read a fleet's status again and again; in each there is somebody who plays."""

    def __init__(self, fleet: Fleet[CounterEnv]) -> None:
        self.wrong: list[object] = []
        self.sizes: set[int] = set()
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._read, args=(fleet,)) for _ in range(3)]

    def __enter__(self) -> Self:
        self._interval_s = sys.getswitchinterval()
        sys.setswitchinterval(1e-6)
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exit: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()
        sys.setswitchinterval(self._interval_s)

    def _read(self, fleet: Fleet[CounterEnv]) -> None:
        try:
            while not self._over.is_set():
                status = fleet.status
                self.sizes.add(len(status.servers))
                if not status.taken:
                    self.wrong.append(status)
        except Exception as error:
            self.wrong.append(error)


async def test_the_status_is_whole_in_other_threads_while_servers_and_those_who_wait_come_and_go(counter_url: str) -> None:
    async def give_up(fleet: Fleet[CounterEnv]) -> None:
        with pytest.raises(OpenEnvError):
            await fleet.session(queue_timeout_s=0.001).connect()

    fleet = fleet_of(lambda: Standing(counter_url), servers=1, sessions_per_server=1)
    async with fleet:
        there = [await fleet.session().connect()]
        with Readers(fleet) as readers:
            for _ in range(8):
                await fleet.scale(6)
                there += [await fleet.session().connect() for _ in range(5)]
                await asyncio.gather(*(give_up(fleet) for _ in range(40)))
                *leaving, last = there
                await asyncio.gather(*(env.close() for env in leaving))
                await fleet.scale(1)
                await until(lambda: len(fleet.status.servers) == 1)
                there = [last]
        assert readers.wrong == []
        assert len(readers.sizes) > 1
        await last.close()


async def test_only_who_refuses_counts_as_nobody_there() -> None:
    """A name that is not found, for a moment or for ever, says nothing of the server behind it."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    told = {}
    for host in ("localhost", "127.0.0.1", "nowhere.invalid"):
        async with Health(f"http://{host}:{port}", {}, 30.0) as health:
            for _ in range(4):
                assert not await health.is_well()
            told[host] = health.dead(may_be_draining=False)
    nobody = "nobody listens at its address any more"
    assert told == {"localhost": nobody, "127.0.0.1": nobody, "nowhere.invalid": None}


FORKING = """
    import os, signal, sys, threading
    from counting import CounterEnv
    from fleets import Standing
    from openenv.errors import UsageError
    from openenv.rollout import Fleet

    def keep_asking(fleet):
        while True:
            fleet.scale(1)

    with Fleet(CounterEnv, lambda: Standing(sys.argv[1]), 1) as fleet:
        for _ in range(4):
            threading.Thread(target=keep_asking, args=(fleet,), daemon=True).start()
        for _ in range(150):
            child = os.fork()
            if not child:
                signal.alarm(5)
                try:
                    fleet.scale(1)
                except UsageError as error:
                    os._exit("belongs to the process that started it" not in str(error))
                os._exit(2)
            _, status = os.waitpid(child, 0)
            if status:
                print("a child ended with", os.waitstatus_to_exitcode(status), flush=True)
                os._exit(1)
        print("told", flush=True)
        os._exit(0)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
def test_a_fork_is_told_and_never_waits_for_a_lock_of_its_parent(counter_url: str) -> None:
    with run(FORKING, counter_url) as parent:
        told, log = parent.communicate(timeout=60)
    assert (told, log) == ("told\n", "")


WITHOUT_THREADS = """
    import sys, threading
    from counting import CounterEnv
    from fleets import Standing, fleet_of
    from openenv.errors import LaunchError

    with fleet_of(lambda: Standing(sys.argv[1]), None, 1, start_attempts=2) as fleet:
        threading.stack_size(1 << 47)  # more than there is address space
        try:
            fleet.scale(2)
        except LaunchError as error:
            print(error)
        threading.stack_size(0)
        fleet.scale(2)
        print(fleet.status.ready)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="counts on how Linux gives out memory")
def test_a_program_that_can_have_no_more_threads_is_told(counter_url: str) -> None:
    with run(WITHOUT_THREADS, counter_url) as program:
        told, log = program.communicate(timeout=60)
    assert "the last: there is no thread to be had for it: can't start new thread" in told.splitlines()[0], log
    assert told.splitlines()[1:] == ["2"]


THREADS = """
    import threading, time
    from counting import Count, CounterEnv
    from fleets import PATH
    from openenv.launch.process import ProcessProvider
    from openenv.rollout import Fleet

    def play(fleet):
        with fleet.session() as env:
            while True:
                env.reset()
                for _ in range(9):
                    env.step(Count(amount=1, sleep_s=0.05))

    with Fleet(CounterEnv, ProcessProvider("serving_counter:app", env_vars=PATH), servers=2) as fleet:
        threads = [threading.Thread(target=play, args=(fleet,)) for _ in range(12)]
        for thread in threads:
            thread.start()
        while fleet.status.episodes.running < 12:
            time.sleep(0.01)
        print("playing", flush=True)
        for thread in threads:
            thread.join()
"""


JOINED, MISTAKEN = "for thread in threads:\n            thread.join()", "1 / 0"


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
@pytest.mark.parametrize("is_interrupted", [True, pytest.param(False, marks=pytest.mark.long)])
def test_ctrl_c_is_told_once_however_many_threads_play(is_interrupted: bool) -> None:
    """Where the program fails, each thread's end is told too."""
    program = THREADS if is_interrupted else THREADS.replace(JOINED, MISTAKEN)
    assert (MISTAKEN in program) != is_interrupted
    with run(program) as trainer:
        assert trainer.stdout is not None
        assert trainer.stdout.readline() == "playing\n"
        servers = below(trainer.pid)
        if is_interrupted:
            trainer.send_signal(signal.SIGINT)
        _, log = trainer.communicate(timeout=60)
    assert len(servers) == 2
    lines = log.strip().splitlines()
    if is_interrupted:
        assert log.count("Traceback") == 1, log
        assert (lines[0], lines[-1]) == ("Traceback (most recent call last):", "KeyboardInterrupt")
    else:
        assert log.count("Exception in thread") == 12, log
    wait_until(lambda: not any(map(alive, servers)), 20)

"""Containers: locked up, reached from nowhere else, and surely gone."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from confinement import LOCKED, LOOK
from containers import COUNTER, left
from counting import Count, CounterEnv
from engine_proxy import proxied
from serving import wait_until

from openenv.core.containers.runtime import LocalDockerProvider
from openenv.errors import LaunchError
from openenv.launch.readiness import answers

MINE = os.getpid()
SLOW_TO_START = ["python3", "-c", "import time; print('not yet', flush=True); time.sleep(100)"]
needs_engine = pytest.mark.docker


def inside(engine: Any, program: str) -> str:
    """Return what a Python program prints in the one container of this process."""
    (name,) = (name for name in left(engine, MINE) if name.startswith("/"))
    job = engine.api.exec_create(name.strip("/"), ["python3", "-c", textwrap.dedent(program)])
    output: bytes = engine.api.exec_start(job["Id"])
    return output.decode().strip()


def trainer(program: str, *, until: str) -> subprocess.Popen[str]:
    """Start a trainer as a process, and wait until it prints a line."""
    path = os.pathsep.join(filter(None, [str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]))
    begun = subprocess.Popen(
        [sys.executable, "-c", "import time\nfrom counting import CounterEnv\n" + textwrap.dedent(program)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
    )
    assert begun.stdout is not None
    line = begun.stdout.readline().strip()
    if line != until:
        begun.kill()
        pytest.fail(f"the trainer said {line!r}: {begun.communicate()[1]}")
    return begun


@needs_engine
def test_a_container_plays_without_await_and_is_gone(engine: Any, counter_image: str) -> None:
    env: Any = CounterEnv.from_docker_image(counter_image)
    assert env.base_url.startswith("http://127.0.0.1:")
    assert env.reset(start=3).observation.total == 3
    assert env.step(Count(amount=1)).reward == 1
    env.close()
    assert left(engine, MINE) == set()


@needs_engine
async def test_a_container_is_awaited(engine: Any, counter_image: str) -> None:
    env = await CounterEnv.from_docker_image(counter_image)
    assert (await env.reset(start=3)).observation.total == 3
    await env.close()
    assert left(engine, MINE) == set()


@needs_engine
def test_the_published_provider_s_calls(engine: Any, counter_image: str) -> None:
    provider = LocalDockerProvider()
    url = provider.start_container(counter_image, env_vars={"OPENENV_MODE": "simulation"})
    provider.wait_for_ready(url, timeout_s=60.0)
    with CounterEnv(base_url=url).sync() as env:
        env.reset()
    provider.stop_container()
    provider.close()
    assert left(engine, MINE) == set()


@needs_engine
def test_a_container_is_locked_up(engine: Any, counter_image: str) -> None:
    """No root, no privileges, nothing of the machine, nothing to write but /tmp, and less of everything than there is."""
    with CounterEnv.from_docker_image(counter_image, memory_mb=300, cpus=1, pids=400).sync() as env:
        env.reset()
        assert inside(engine, LOOK).splitlines() == [*LOCKED, "no new privileges: 1"]
        (name,) = left(engine, MINE)
        found = engine.api.inspect_container(name.strip("/"))
        limits = {key: found["HostConfig"][key] for key in ("Memory", "MemorySwap", "NanoCpus", "PidsLimit")}
        assert limits == {"Memory": 300 << 20, "MemorySwap": 300 << 20, "NanoCpus": 10**9, "PidsLimit": 400}
        assert [mount["Destination"] for mount in found["Mounts"]] == []
        assert [place["HostIp"] for place in found["NetworkSettings"]["Ports"]["8000/tcp"]] == ["127.0.0.1"]


@needs_engine
def test_locks_are_opened_by_name(engine: Any, counter_image: str, tmp_path: Path) -> None:
    (tmp_path / "data").write_text("read me")
    options: dict[str, Any] = {
        "read_only": False,
        "volumes": {str(tmp_path): "/data:ro"},
        "user": "root",
        "new_privileges": True,
    }
    with CounterEnv.from_docker_image(counter_image, capabilities=["CHOWN"], **options).sync() as env:
        env.reset()
        told = inside(engine, "open('/app/x', 'w'); import os; os.chown('/app/x', 7, 7); print(open('/data/data').read())")
        assert told == "read me"
    missing = tmp_path / "no-such-folder"
    with pytest.raises(LaunchError, match="no-such-folder"):
        CounterEnv.from_docker_image(counter_image, volumes={str(missing): "/data:ro"}).sync().__enter__()
    assert not missing.exists()
    assert left(engine, MINE) == set()


@needs_engine
def test_one_that_does_not_answer_is_ended(engine: Any, counter_image: str) -> None:
    with pytest.raises(LaunchError, match=r"did not answer at http://127\.0\.0\.1:\d+ within 1 s; its last output:\n  not yet"):
        CounterEnv.from_docker_image(counter_image, startup_timeout_s=1.0, command=SLOW_TO_START, stop_timeout_s=0)
    assert left(engine, MINE) == set()


@needs_engine
def test_one_that_ends_at_once_is_a_start_that_failed(engine: Any, counter_image: str) -> None:
    for command, told in [
        ("false", r"ended with code 1 before it answered; its last output:\n  \(it printed nothing\)"),
        ("sh -c 'echo no such game; exit 3'", r"ended with code 3 before it answered; its last output:\n  no such game"),
    ]:
        with pytest.raises(LaunchError, match=told):
            LocalDockerProvider().start_container(counter_image, command=command)
        assert left(engine, MINE) == set()


@needs_engine
def test_too_little_memory_is_named(engine: Any, counter_image: str) -> None:
    with pytest.raises(LaunchError, match="memory_mb is 20"):
        CounterEnv.from_docker_image(counter_image, memory_mb=20)
    assert left(engine, MINE) == set()


@needs_engine
def test_an_exception_leaves_nothing(engine: Any, counter_image: str) -> None:
    def train() -> None:
        with CounterEnv.from_docker_image(counter_image).sync() as env:
            env.reset()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        train()
    assert left(engine, MINE) == set()


@needs_engine
@pytest.mark.skipif(sys.platform == "win32", reason="interrupts by signal")
@pytest.mark.parametrize("when", ["starting", "playing", "at the program's end"])
def test_what_is_interrupted_leaves_nothing(engine: Any, counter_image: str, when: str) -> None:
    slow = f", command={SLOW_TO_START!r}, stop_timeout_s=0" if when == "starting" else ""
    ending = "" if when.startswith("at") else "time.sleep(100)"
    program = f"""
        print("going", flush=True)
        env = CounterEnv.from_docker_image({counter_image!r}{slow})
        env.reset()
        print("playing", flush=True)
        {ending}
    """
    begun = trainer(program, until="going")
    assert begun.stdout is not None
    if when == "playing":
        assert begun.stdout.readline().strip() == "playing"
    if ending:
        wait_until(lambda: left(engine, begun.pid), 30)
        begun.send_signal(signal.SIGINT)
    _, log = begun.communicate(timeout=60)
    assert ("KeyboardInterrupt" in log) == bool(ending), log
    assert left(engine, begun.pid) == set()


@needs_engine
@pytest.mark.skipif(sys.platform == "win32", reason="interrupts by signal")
@pytest.mark.parametrize("request_line", ["/containers/create", pytest.param("/networks/create", marks=pytest.mark.long)])
def test_what_the_engine_is_about_to_make_is_removed_too(
    engine: Any, counter_image: str, monkeypatch: pytest.MonkeyPatch, request_line: str
) -> None:
    """An interrupt comes after the engine was asked and before it has begun."""
    with proxied(slow=request_line) as proxy:
        monkeypatch.setenv("DOCKER_HOST", proxy.url)
        begun = trainer(
            f"print('going', flush=True); CounterEnv.from_docker_image({counter_image!r}, egress=False)", until="going"
        )
        assert proxy.asked.wait(30)
        begun.send_signal(signal.SIGINT)
        _, log = begun.communicate(timeout=60)
        time.sleep(proxy.late_s)
    assert "KeyboardInterrupt" in log
    assert left(engine, begun.pid) == set()


@needs_engine
@pytest.mark.long
@pytest.mark.skipif(sys.platform == "win32", reason="interrupts by signal")
def test_a_second_interrupt_does_not_wait_and_leaves_nothing(engine: Any, counter_image: str) -> None:
    deaf = [
        "python3",
        "-c",
        "import signal, time; signal.signal(15, signal.SIG_IGN); print('deaf', flush=True); time.sleep(100)",
    ]
    program = f"""
        print("going", flush=True)
        CounterEnv.from_docker_image({counter_image!r}, command={deaf!r}, init=False, stop_timeout_s=60)
    """
    begun = trainer(program, until="going")
    wait_until(lambda: left(engine, begun.pid), 30)
    time.sleep(2)
    begun.send_signal(signal.SIGINT)
    time.sleep(1)
    assert left(engine, begun.pid), "it is being stopped"
    begun.send_signal(signal.SIGINT)
    begun.communicate(timeout=30)
    assert left(engine, begun.pid) == set()


@needs_engine
def test_a_client_that_is_dropped_takes_its_container_along(engine: Any, counter_image: str) -> None:
    others = set(threading.enumerate())
    env: Any = CounterEnv.from_docker_image(counter_image)
    assert len(left(engine, MINE)) == 1
    del env
    gc.collect()
    assert left(engine, MINE) == set()
    started = {thread for thread in threading.enumerate() if thread.name.startswith("openenv-")} - others
    wait_until(lambda: not any(thread.is_alive() for thread in started), 10)


@needs_engine
@pytest.mark.skipif(sys.platform == "win32", reason="kills by signal")
def test_the_next_start_sweeps_up_after_the_dead_only(engine: Any, counter_image: str) -> None:
    program = f"""
        env = CounterEnv.from_docker_image({counter_image!r}, lease_s=None, egress=False)
        print("playing", flush=True)
        time.sleep(100)
    """
    dead, living = (trainer(program, until="playing") for _ in range(2))
    try:
        dead.kill()
        dead.communicate()
        assert len(left(engine, dead.pid)) == 2
        with CounterEnv.from_docker_image(counter_image).sync() as env:
            env.reset()
            assert left(engine, dead.pid) == set()
            assert len(left(engine, living.pid)) == 2
    finally:
        living.send_signal(signal.SIGINT)
        living.communicate(timeout=60)
    assert left(engine, living.pid) == set()


@needs_engine
def test_a_living_trainer_keeps_an_unused_server(engine: Any, counter_image: str) -> None:
    env: Any = CounterEnv.from_docker_image(counter_image, lease_s=2.0)
    time.sleep(5)
    assert env.reset(start=1).observation.total == 1
    env.close()


@needs_engine
def test_a_stopped_container_closes_its_environments_and_ends_well(engine: Any, counter_image: str) -> None:
    """As `docker stop` does it, with no provider: the first process of the container is the server."""
    container = engine.containers.run(counter_image, detach=True, ports={"8000/tcp": ("127.0.0.1", None)})
    try:
        container.reload()
        port = container.attrs["NetworkSettings"]["Ports"]["8000/tcp"][0]["HostPort"]
        assert answers(f"http://127.0.0.1:{port}", 60.0)
        env = CounterEnv(base_url=f"http://127.0.0.1:{port}").sync()
        env.reset()
        container.stop(timeout=30)
        assert container.wait()["StatusCode"] == 0
        env.close()
    finally:
        container.remove(force=True)


def test_no_engine_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nothing.sock")
    with pytest.raises(
        LaunchError, match=f"no container engine answers at unix://{tmp_path}/nothing.sock \\(No such file.*start it"
    ) as told:
        CounterEnv.from_docker_image("echo-env:latest")
    assert "\n" not in told.value.message


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "docker", None)
    with pytest.raises(LaunchError, match=r"pip install 'openenv-core\[docker\]'"):
        CounterEnv.from_docker_image("echo-env:latest")


@needs_engine
def test_an_image_that_there_is_not_is_named(engine: Any) -> None:
    with pytest.raises(LaunchError, match="there is no image no-such-env:latest here"):
        CounterEnv.from_docker_image("no-such-env:latest")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"nonsense": 1}, r"a container takes no nonsense: it takes address, .*memory_mb"),
        ({"network": "host"}, "opens no port"),
        ({"network": "others", "egress": False}, "leave network out"),
        ({"forwarder": True}, "leave forwarder out"),
    ],
)
def test_what_cannot_be_is_refused(options: dict[str, Any], told: str) -> None:
    with pytest.raises(LaunchError, match=told):
        CounterEnv.from_docker_image(COUNTER, **options)


@needs_engine
def test_too_few_pids_for_the_sessions_are_refused(engine: Any, counter_image: str) -> None:
    with pytest.raises(LaunchError, match="256 sessions need at least 320"):
        CounterEnv.from_docker_image(counter_image, pids=100)
    variables = {"OPENENV_MAX_CONCURRENT_ENVS": "30"}
    with CounterEnv.from_docker_image(counter_image, pids=100, env_vars=variables).sync() as env:
        assert env.reset(start=1).observation.total == 1

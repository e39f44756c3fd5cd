"""Servers that a client starts: they come up, say why they do not, and are surely gone afterwards."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
from counting import Count, CounterEnv
from serving import wait_until

from openenv.errors import ConnectError, LaunchError
from openenv.launch.process import ProcessProvider

TESTS = str(Path(__file__).parent)
APP = "serving_counter:app"
PATH = {"PYTHONPATH": TESTS}


def alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and waits to be collected does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def listening(url: str) -> bool:
    host, _, port = url.removeprefix("http://").partition(":")
    with socket.socket() as probe:
        return probe.connect_ex((host, int(port))) == 0


def test_from_process_plays_and_ends_with_the_client() -> None:
    env = CounterEnv.from_process(APP, env_vars=PATH)
    url = env._connection.start_provider()
    assert url is not None
    with env.sync() as client:
        assert client.reset(start=3).observation.total == 3
        assert client.step(Count(amount=1)).reward == 1
    assert not listening(url)


async def test_from_process_inside_a_loop() -> None:
    async with CounterEnv.from_process(APP, env_vars=PATH) as env:
        assert (await env.reset()).observation.label == "start"


@pytest.mark.parametrize(
    ("app", "told"),
    [
        ("nowhere.server:app", "cannot import nowhere"),
        ("serving_counter:nothing", "has no 'nothing'"),
        ("serving_counter", "module:attribute"),
    ],
)
def test_an_app_that_cannot_start_says_why(app: str, told: str) -> None:
    began = time.monotonic()
    with pytest.raises(LaunchError, match=told):
        CounterEnv.from_process(app, env_vars=PATH)
    assert time.monotonic() - began < 10


def test_a_taken_port_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(LaunchError, match=f"{port}.*choose another port"):
            CounterEnv.from_process(APP, env_vars=PATH, port=port)


def test_a_server_that_is_too_slow_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = "import os, pathlib, time; pathlib.Path('pid').write_text(str(os.getpid())); time.sleep(60)"
    (tmp_path / "sitecustomize.py").write_text(program)  # so that it is slow before it has begun
    monkeypatch.chdir(tmp_path)
    provider = ProcessProvider("slow:app", env_vars={"PYTHONPATH": str(tmp_path)}, startup_timeout_s=3.0, stop_timeout_s=0.2)
    with pytest.raises(LaunchError, match=r"did not open its port within 3 s"):
        provider.start()
    assert not alive(int((tmp_path / "pid").read_text()))


@pytest.mark.skipif(sys.platform == "win32", reason="kills by signal")
def test_a_killed_trainer_leaves_no_server(tmp_path: Path) -> None:
    program = f"""
        import time
        from counting import CounterEnv
        env = CounterEnv.from_process({APP!r})
        env.reset()
        print(env._connection._provider._process._process.pid, env._connection._url, flush=True)
        time.sleep(60)
    """
    trainer = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program)], stdout=subprocess.PIPE, text=True, env={**os.environ, **PATH}
    )
    assert trainer.stdout is not None
    with trainer.stdout:
        pid, url = trainer.stdout.readline().split()
        assert alive(int(pid))
        trainer.send_signal(signal.SIGKILL)
        trainer.wait()
    wait_until(lambda: not alive(int(pid)), 10)
    assert not listening(url)


def test_a_killed_server_is_told_exactly() -> None:
    env = CounterEnv.from_process(APP, env_vars=PATH)
    client = env.sync()
    client.reset()
    client.step(Count(amount=1))
    assert isinstance(env._connection._provider, ProcessProvider)
    assert env._connection._provider._process is not None
    env._connection._provider._process._process.kill()
    with pytest.raises(RuntimeError, match=r"ended .* its episode is gone: reset\(\) starts another"):
        client.step(Count(amount=1))
    with pytest.raises(RuntimeError, match="episode"):
        client.step(Count(amount=1))
    with pytest.raises(ConnectError, match="is the server running"):
        client.reset()
    client.close()

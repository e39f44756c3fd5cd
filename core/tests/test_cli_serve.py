"""`openenv serve`: what can be served, what it prints, how it ends, and code that changes under it."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from commanding import ENVIRONMENT, ENVS, flat_folder, run, started
from serving import wait_until

from openenv import GenericEnvClient

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="ends by signal")


def said(url: str) -> str:
    with GenericEnvClient(base_url=url).sync() as env:
        env.reset()
        heard: str = env.step({"word": "hello"}).observation["heard"]
        return heard


@pytest.mark.parametrize(
    ("target", "client"),
    [
        (str(ENVS / "echo"), "from echo_env import EchoEnv"),
        ("echo", "from echo_env import EchoEnv"),
        ("echo_env.server.app:app", "from echo_env import EchoEnv"),
        ("counting:Counter", "from openenv import GenericEnvClient"),
    ],
)
def test_each_kind_of_target_and_the_client_code_that_it_prints(target: str, client: str) -> None:
    with started(target) as (process, _):
        assert process.stdout is not None
        told = [process.stdout.readline().rstrip("\n") for _ in range(5)]
        assert httpx.get(told[0].removeprefix("docs:").strip(), trust_env=False).is_success
        assert told[2] == client
        printed = subprocess.run([sys.executable, "-c", "\n".join(told[2:])], capture_output=True, text=True)
        assert printed.returncode == 0, printed.stderr
        assert printed.stdout.strip()
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 0


def test_options_reach_the_server(tmp_path: Path) -> None:
    options = ("--max-sessions", "3", "--isolation", "process", "--workers", "2")
    with started(*options, cwd=flat_folder(tmp_path)) as (_, url):
        assert said(url) == "hello"
        with GenericEnvClient(base_url=url).sync() as first, GenericEnvClient(base_url=url).sync() as second:
            first.reset()
            second.reset()
    with started("--mode", "production", cwd=tmp_path) as (_, url):
        assert httpx.post(f"{url}/reset", json={}, trust_env=False).status_code == 404


@pytest.mark.long
@pytest.mark.parametrize("signalled", [signal.SIGINT, signal.SIGTERM])
def test_changed_code_is_served_and_broken_code_told(signalled: signal.Signals, tmp_path: Path) -> None:
    code = flat_folder(tmp_path) / "server" / "app.py"

    def now_says(expected: str) -> bool:
        try:
            return said(url) == expected
        except RuntimeError:
            return False

    with started("--reload", cwd=tmp_path) as (process, url):
        wait_until(lambda: now_says("hello"), timeout_s=60)
        code.write_text(ENVIRONMENT.replace("heard=action.word", "heard=action.word.upper()"))
        wait_until(lambda: now_says("HELLO"), timeout_s=60)
        code.write_text("this is no Python\n")
        assert process.stderr is not None
        line = next(line for line in process.stderr if line.startswith("openenv: "))
        assert "SyntaxError" in line
        assert "app.py, line 1" in line
        code.write_text(ENVIRONMENT.replace("heard=action.word", "heard=action.word[::-1]"))
        wait_until(lambda: now_says("olleh"), timeout_s=60)
        process.send_signal(signalled)
        assert process.wait(timeout=30) == 0


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["no_such"], 2, "pip install openenv-no-such-env"),
        (["/"], 2, "no openenv.yaml"),
        (["no_module:app"], 2, "cannot import no_module"),
        (["counting:missing"], 2, "has no 'missing'"),
        (["echo", "--isolation", "jail"], 2, "'jail'"),
        (["echo", "--log-level", "loud"], 2, "'loud'"),
        (["echo", "--reload", "--workers", "2"], 2, "--workers"),
    ],
)
def test_a_mistake_is_told_without_a_traceback(arguments: list[str], code: int, told: str) -> None:
    done = run("serve", *arguments)
    assert done.returncode == code
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_a_module_of_the_current_folder_is_served(tmp_path: Path) -> None:
    (tmp_path / "here.py").write_text(ENVIRONMENT)
    command = [sys.executable, "-c", "import sys; del sys.path[0]; from openenv.cli.main import main; sys.exit(main())"]
    process = subprocess.Popen(
        [*command, "serve", "here:app", "--port", "0"], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    with GenericEnvClient(base_url=process.stdout.readline().split()[-1]).sync() as env:
        assert env.reset().observation["heard"] == ""
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)


def test_a_mistyped_setting_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENENV_ISOLATON", "process")
    done = run("serve", "echo", "--port", "0")
    assert (done.returncode, done.stderr) == (2, "openenv: there is no OPENENV_ISOLATON: did you mean OPENENV_ISOLATION?\n")


def test_a_taken_port_is_told_in_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = run("serve", "echo", "--port", str(taken.getsockname()[1]))
    assert done.returncode == 1
    assert done.stderr.startswith("openenv: cannot listen on 127.0.0.1:")
    assert done.stderr.count("\n") == 1

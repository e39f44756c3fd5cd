"""`openenv play IMAGE`: how an image is known, a game in a container that is gone after it, and what is told without one."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import containers
import pytest
from commanding import COMMAND, run, surroundings
from image_registry import image_registry
from serving import wait_until

from openenv.cli.main import main
from openenv.server.naming import is_image

CONNECT4 = "connect4-env:latest"
DIGEST = "@sha256:" + "0a" * 32


@pytest.fixture
def connect4(engine: Any) -> str:
    containers.built("connect4")
    return CONNECT4


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("echo-env:latest", True),
        ("echo:1.0", True),
        ("redis_env:latest", True),
        ("ghcr.io/me/echo-env", True),
        ("localhost:5000/echo", True),
        ("me/echo-env:1.0", True),
        (f"echo-env{DIGEST}", True),
        ("echo", False),
        ("echo-env", False),
        ("envs/echo", False),
        ("./envs/echo:latest", False),
        ("echo_env:EchoEnvironment", False),
        ("no_such_module:Game", False),
        ("no_such_package.server:app", False),
        ("parrot:app", False),
        ("there.d/game:1.0", False),
    ],
)
def test_an_image_is_known_by_its_tag_its_digest_or_its_registry(
    target: str, expected: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "parrot.py").write_text("")
    (tmp_path / "redis_env").mkdir()  # no package, so no module to take the attribute of
    (tmp_path / "there.d" / "game:1.0").mkdir(parents=True)
    assert is_image(target) is expected


@pytest.mark.docker
def test_a_person_and_chance_play_an_image_and_nothing_is_left(connect4: str, engine: Any, tmp_path: Path) -> None:
    record = tmp_path / "game.jsonl"
    process = started(connect4, "--seed", "3", "--record", str(record))
    said, told = process.communicate("3\n99\n\n", timeout=100)
    assert process.returncode == 0, told
    assert said.count("refused: ") == 1
    assert "left; rewards add up to 0" in said
    assert [json.loads(line)["given"] for line in record.read_text().splitlines()] == [{"seed": 3}, {"column": 3}]
    assert containers.left(engine, process.pid) == set()
    process = started(connect4, "--policy", "random", "--seed", "7")
    said, told = process.communicate("", timeout=100)
    assert process.returncode == 0, told
    assert "over; rewards add up to" in said
    assert containers.left(engine, process.pid) == set()


@pytest.mark.docker
@pytest.mark.skipif(sys.platform == "win32", reason="interrupts by signal")
@pytest.mark.parametrize("when", ["starting", "playing"])
def test_an_interrupt_leaves_nothing(when: str, connect4: str, engine: Any) -> None:
    process = started(connect4)
    assert process.stdout is not None
    if when == "playing":
        assert process.stdout.readline().startswith("An action is JSON")
    else:
        wait_until(lambda: containers.left(engine, process.pid), 60)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert (process.returncode, told) == (130, "")
    assert containers.left(engine, process.pid) == set()


@pytest.mark.docker
def test_a_container_that_ends_is_told_and_gone(engine: Any) -> None:
    containers.built("base")
    process = started("openenv-base:latest")
    _, told = process.communicate(timeout=100)
    assert process.returncode == 1
    assert told.startswith("openenv: the image openenv-base:latest cannot be played: openenv-base:latest ended with code ")
    assert "Traceback" not in told
    assert containers.left(engine, process.pid) == set()


@pytest.mark.docker
def test_an_image_that_is_nowhere_is_told_in_one_line(engine: Any, tmp_path: Path) -> None:
    with image_registry(tmp_path) as place:
        done = run("play", f"{place}/no/such-env:1.0")
    fetching, line = done.stderr.splitlines()
    assert (done.returncode, fetching) == (1, f"fetching {place}/no/such-env:1.0, which is not here yet")
    assert line.startswith(
        f"openenv: the image {place}/no/such-env:1.0 cannot be played: there is no image {place}/no/such-env"
    )
    assert "build it, or check its name" in line


def test_without_an_engine_it_is_told_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere.sock")
    done = run("play", "echo-env:latest")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert done.stderr.startswith(
        "openenv: the image echo-env:latest cannot be played: no container engine answers at unix:///n"
    )
    assert "start it, or name another with DOCKER_HOST" in done.stderr


def test_without_the_extra_it_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.setitem(sys.modules, "docker", None)
    monkeypatch.setattr(sys, "argv", ["openenv", "play", "echo-env:latest"])
    with pytest.raises(SystemExit) as ended:
        main()
    told = "openenv: the image echo-env:latest is run by the Docker SDK: pip install 'openenv-core[docker]'\n"
    assert (ended.value.code, capsys.readouterr().err) == (2, told)


def started(*arguments: str) -> subprocess.Popen[str]:
    """Start `openenv play`, whose number says which containers are its own."""
    pipe = subprocess.PIPE
    command = [*COMMAND, "play", *arguments]
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, env=surroundings())

"""`openenv doctor` and `openenv bench`: what they find, and what they say where something is not as it should be."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from commanding import COMMAND, run, started, surroundings
from counting import Counter
from serving import running

from openenv.server import create_app


def installed(site: Path, name: str, version: str, *files: str, more: str = "") -> None:
    """Put a distribution into a folder, as an installer leaves it."""
    info = site / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{more}")
    (info / "RECORD").write_text("".join(f"{file},,\n" for file in files))


def examined(site: Path, *arguments: str, path: str | None = None) -> tuple[int, str]:
    variables = surroundings(site)
    variables["PATH"] = path if path is not None else os.environ["PATH"]
    variables["COLUMNS"] = "400"
    done = subprocess.run([*COMMAND, "doctor", *arguments], capture_output=True, text=True, env=variables, timeout=60)
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout


def test_what_is_there_and_what_is_missing(tmp_path: Path) -> None:
    from openenv import __version__

    more = "Provides-Extra: odd\nRequires-Dist: no-such-thing>=1; extra == 'odd'\n"
    installed(tmp_path, "openenv-core", __version__, more=more)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        code, told = examined(tmp_path, "--port", port, path=str(tmp_path))
    assert code == 0, told
    assert sys.executable in told
    assert __version__ in told
    assert f"cannot listen on 127.0.0.1:{port}" in told
    assert "no docker command" in told
    assert "pip install 'openenv-core[odd]'" in told
    assert any(line.startswith("[odd]") for line in told.splitlines()), told


def test_a_distribution_that_overwrites_this_one_is_told_with_what_mends_it(tmp_path: Path) -> None:
    installed(tmp_path, "openenv", "9.9", "openenv/__init__.py")
    code, told = examined(tmp_path)
    assert code == 1, told
    assert "pip uninstall -y openenv &&" in told
    assert "pip install --force-reinstall openenv-core" in told


def test_an_engine_that_does_not_answer_is_told(tmp_path: Path) -> None:
    docker = tmp_path / "docker"
    docker.write_text("#!/bin/sh\necho 'permission denied on the socket' >&2\nexit 1\n")
    docker.chmod(0o755)
    assert "permission denied on the socket" in examined(tmp_path, path=str(tmp_path))[1]


@pytest.mark.skipif(sys.platform == "win32", reason="the server ends by signal")
def test_a_load_counts_what_was_done() -> None:
    with started("connect4") as (_, url):
        done = run("bench", url, "--sessions", "3", "--seconds", "1", "--json")
        assert done.returncode == 0, done.stderr
        load = json.loads(done.stdout)
        assert "steps/s" in run("bench", url, "--seconds", "0.2").stdout
    assert load["steps"] > load["resets"] > 0
    assert load["refused"] == 0
    assert load["p50_ms"] <= load["p99_ms"]
    gone = run("bench", url, "--seconds", "0.2")
    assert gone.returncode == 1
    assert gone.stderr.startswith(f"openenv: no server answers at {url}: ")
    assert gone.stderr.count("\n") == 1


def test_more_sessions_than_a_server_takes_are_refused_before_any_is_begun() -> None:
    alive = Counter.count_from_now()
    with running(create_app(Counter, max_concurrent_envs=2, queue_timeout_s=600.0)) as url:
        done = run("bench", url, "--sessions", "3", "--seconds", "0.1")
        assert alive() == 0
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"openenv: {url} takes 2 sessions at once, and 3 are wanted: give --sessions 2 at most\n"


def test_what_is_no_server_is_told_with_what_was_tried() -> None:
    done = run("bench", "no-such-host.invalid")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert done.stderr.startswith("openenv: no server answers at http://no-such-host.invalid: ")
    assert done.stderr.endswith("; name a server that runs, http://host:port\n")

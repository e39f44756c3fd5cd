"""The showdown, run as a user runs it."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

SHOWDOWN = Path(__file__).parents[1] / "examples" / "showdown.py"
ROW = re.compile(r"^ +\d  (\S.*?)  +(?:([\d.]+)% \((\d+)/(\d+)\)|-) +(-?[\d.]+) +([\d,]+) +([\d,]+)$", re.MULTILINE)


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(SHOWDOWN), *arguments], capture_output=True, text=True, timeout=100)


@pytest.fixture
def url() -> Iterator[str]:
    command = [sys.executable, "-m", "openenv.server", "openspiel_env.server.app:app", "--port", "0", "--stop-with-stdin"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        yield server.stdout.readline().rpartition(" ")[2].strip()
        server.stdin.close()


def test_the_smart_policy_wins_and_two_runs_agree() -> None:
    first, second = run("--episodes", "20", "--seed", "5"), run("--episodes", "20", "--seed", "5")
    assert (first.returncode, first.stderr) == (0, "")
    rows = ROW.findall(first.stdout)
    assert {row[0] for row in rows} == {"Smart", "Learning", "Always stay", "Random"}
    assert rows[0][:5] == ("Smart", "100.0", "20", "20", "1.000")
    assert [row[:5] for row in rows] == [row[:5] for row in ROW.findall(second.stdout)]
    other = run("--episodes", "20", "--seed", "6")
    assert [row[:5] for row in rows] != [row[:5] for row in ROW.findall(other.stdout)]


def test_another_game_on_a_running_server(url: str) -> None:
    finished = run("--url", url, "--game", "cliff_walking", "--episodes", "3")
    assert (finished.returncode, finished.stderr) == (0, "")
    rows = ROW.findall(finished.stdout)
    assert (rows[0][0], rows[0][4]) == ("Safe path", "-9.000")
    assert "catch, 2 episodes" in run("--url", url, "--episodes", "2").stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--game", "cathc"], "unknown game 'cathc': did you mean catch"),
        (["--game", "add_noise"], "epsilon"),
        (["--url", "http://127.0.0.1:9"], "127.0.0.1:9"),
        (["--url", "nonsense://"], "nonsense"),
    ],
)
def test_a_mistake_is_told_in_one_line(arguments: list[str], message: str) -> None:
    finished = run(*arguments)
    assert finished.returncode == 2
    assert message in finished.stderr
    assert finished.stderr.count("\n") == 1

"""`openenv play`: a person types, chance plays, and an error does not end the game."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from commanding import run


def test_a_person_plays_on_after_mistakes(tmp_path: Path) -> None:
    record = tmp_path / "game.jsonl"
    done = run("play", "connect4", "--seed", "3", "--record", str(record), stdin='3\n99\nnonsense\n{"column": 2}\n\n')
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("refused: ") == 2
    assert "left; rewards add up to 0" in done.stdout
    calls = [json.loads(line) for line in record.read_text().splitlines()]
    assert [call["given"] for call in calls] == [{"seed": 3}, {"column": 3}, {"column": 2}]


def test_chance_plays_to_the_end_and_the_same_for_the_same_seed(tmp_path: Path) -> None:
    games = []
    for number in range(2):
        record = tmp_path / f"{number}.jsonl"
        done = run("play", "connect4", "--policy", "random", "--seed", "7", "--record", str(record))
        assert done.returncode == 0, done.stderr
        assert "over; rewards" in done.stdout
        games.append([json.loads(line)["given"] for line in record.read_text().splitlines()])
    assert games[0] == games[1]
    assert len(games[0]) > 7


def test_tools_are_listed_called_and_refused(tmp_path: Path) -> None:
    assert run("init", "scales", "--template", "tools", "-o", str(tmp_path)).returncode == 0
    typed = ['{"tool_name": "nope"}', '{"tool_name": "weigh", "arguments": {"left": [1], "right": [2]}}', "", ""]
    done = run("play", str(tmp_path / "scales"), "--seed", "3", stdin="\n".join(typed))
    assert done.returncode == 0, done.stderr
    assert "  weigh(left, right)  Lay boxes" in done.stdout
    assert "refused: Unknown tool: 'nope'" in done.stdout
    assert any(f'\n"{heavier}"\n' in done.stdout for heavier in ("left", "right", "equal"))
    done = run("play", str(tmp_path / "scales"), "--policy", "random", "--seed", "3")
    assert "over; rewards" in done.stdout
    assert "Unknown tool" not in done.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["echo", "--reset", "["], 2, "--reset is not JSON"),
        (["no_such"], 2, "pip install openenv-no-such-env; an image is named with its tag, no_such:latest"),
        (["no/such"], 2, "no/such is no environment's folder"),
        (["localhost:1"], 1, "no server answers at http://localhost:1"),
        (["echo", "--record", "no/such/file"], 2, "--record: cannot write no/such/file: No such file"),
    ],
)
def test_a_mistake_is_told_in_one_line(arguments: list[str], code: int, told: str) -> None:
    done = run("play", *arguments)
    assert done.returncode == code
    assert told in done.stderr
    assert done.stderr.count("\n") == 1

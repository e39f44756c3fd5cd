"""The command `openenv` as a whole: what the published one takes is taken, help says defaults, and shells complete it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.core import TyperGroup, TyperOption
from typer.testing import CliRunner

from openenv.cli.main import COMMANDS, app

PUBLISHED = json.loads((Path(__file__).parent / "published" / "command_line.json").read_text())
WHOLE = typer.main.get_command(app)
assert isinstance(WHOLE, TyperGroup)
PARSERS = WHOLE.commands


@pytest.mark.parametrize("name", sorted(PUBLISHED))
def test_published_options_are_taken(name: str) -> None:
    command, entry = PARSERS[name], PUBLISHED[name]
    for option, value in entry["options"].items():
        given = [option] if value is None else [option, value]
        for line in ([*entry["given"], *given], [*given, *entry["given"]]):
            command.make_context(name, line)  # raises where the line cannot be parsed


def test_an_option_that_there_is_not_is_refused() -> None:
    done = CliRunner().invoke(app, ["push", "--no-such-option"])
    assert done.exit_code == 2
    assert "No such option: --no-such-option" in done.output


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_help_says_of_every_option_what_it_is_by_default(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "400")
    monkeypatch.setenv("NO_COLOR", "1")
    told = CliRunner().invoke(app, [name, "--help"]).output
    lines = [line for line in told.splitlines() if re.match(r"\W*--\w", line) and "--help" not in line]
    options = [parameter for parameter in PARSERS[name].params if isinstance(parameter, TyperOption)]
    assert len(lines) == len([option for option in options if option.name != "help"])
    assert [line for line in lines if "[default: " not in line and "[required]" not in line] == []


@pytest.mark.skipif(sys.platform == "win32", reason="asks as bash does")
@pytest.mark.parametrize(
    ("typed", "completed"), [("pu", "push"), ("push --create", "--create-pr"), ("build --no-", "--no-cache")]
)
def test_a_shell_completes_the_command(typed: str, completed: str) -> None:
    words = f"openenv {typed}"
    asks = {"_OPENENV_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
    command = Path(sys.executable).with_name("openenv")
    done = subprocess.run([command], env={**os.environ, **asks}, capture_output=True, text=True)
    assert done.stdout.split() == [completed]

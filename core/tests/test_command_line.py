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
from commanding import run
from typer.core import TyperGroup, TyperOption
from typer.testing import CliRunner

from openenv.cli.main import COMMANDS, app, main

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


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        *[([name, "--no-such-option"], f"openenv {name}: no such option: --no-such-option") for name in sorted(COMMANDS)],
        (["--no-such-option"], "openenv: no such option: --no-such-option"),
        (["serv"], "openenv: no such command 'serv'. Did you mean 'serve'?"),
        (["serve", "--port", "abc"], "openenv serve: invalid value for '--port'"),
        (["serve", "--port", "70000"], "openenv serve: invalid value for '--port'"),
        (["serve", "--port"], "openenv serve: option '--port' requires an argument"),
        (["serve", "one", "two"], "openenv serve: got unexpected extra argument"),
        (["play", "--policy", "best"], "openenv play: invalid value for '--policy'"),
        (["init"], "openenv init: missing argument"),
        (["collect", "echo"], "openenv collect: missing option '--base-url'"),
    ],
)
def test_a_mistake_is_one_line_that_says_where_help_is(
    arguments: list[str], told: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["openenv", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr()
    assert (ended.value.code, said.out, said.err.count("\n")) == (2, "", 1), said.err
    assert said.err.startswith(told)
    command = f"{arguments[0]} --help" if arguments[0] in COMMANDS else "--help"
    assert re.search(rf"[;?] see \S.* {command}\n$", said.err)


def test_the_line_names_the_command_as_it_was_called() -> None:
    script = subprocess.run([Path(sys.executable).with_name("openenv"), "list", "--all"], capture_output=True, text=True)
    assert (script.returncode, script.stdout) == (2, "")
    assert script.stderr == "openenv list: no such option: --all; see openenv list --help\n"
    assert run("list", "--all").stderr.endswith("; see python -m openenv.cli list --help\n")


def test_the_command_alone_shows_its_help() -> None:
    done = run()
    assert (done.returncode, done.stderr) == (2, "")
    assert "Usage: " in done.stdout


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

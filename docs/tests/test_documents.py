"""Every code block of the documents runs."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import containers
import pytest

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("core/*.md"), *ROOT.glob("envs/*/*.md"), *ROOT.glob("docs/**/*.md")])
PROMISED = re.compile(r"^ *print\(.*\)  # (.*)$", re.MULTILINE)
"""What a block says that it prints."""

RUNS_THIS_TEST = "scripts/test"

RAY_AT_HOME = {"RAY_ADDRESS": "local", "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0", "RAY_USAGE_STATS_ENABLED": "0"}
"""Starts a Ray cluster of its own on the loopback address, where Ray has it by itself if not on Linux."""

PLAYS_IN_CONTAINERS = ROOT / "docs/containers.md"


def blocks(document: Path, language: str) -> list[str]:
    return [code for name, code in BLOCK.findall(document.read_text()) if name == language]


def with_blocks(language: str) -> list[pytest.param]:
    found = [document for document in DOCUMENTS if blocks(document, language)]
    marks = {PLAYS_IN_CONTAINERS: [pytest.mark.docker]}
    return [pytest.param(document, id=str(document.relative_to(ROOT)), marks=marks.get(document, [])) for document in found]


@pytest.mark.parametrize("document", with_blocks("python"))
def test_python_blocks_run(document: Path, tmp_path: Path) -> None:
    if document == PLAYS_IN_CONTAINERS:
        containers.engine().close()
        containers.built("echo")
    for number, code in enumerate(blocks(document, "python")):
        program = tmp_path / f"block_{number}.py"
        program.write_text(code)
        variables = {**os.environ, **RAY_AT_HOME}
        command = [sys.executable, str(program)]
        done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=variables, timeout=60)
        assert done.returncode == 0, f"{document}, block {number}:\n{done.stderr}"
        told = [promise.strip() for promise in PROMISED.findall(code)]
        assert [line for line in told if line not in done.stdout.splitlines()] == []


@pytest.mark.parametrize("document", with_blocks("bash"))
def test_shell_blocks_run(document: Path) -> None:
    for line in "\n".join(blocks(document, "bash")).splitlines():
        command = shlex.split(line, comments=True)
        if not command:
            continue
        if command[0] == RUNS_THIS_TEST:
            assert subprocess.run(["bash", "-n", ROOT / command[0]]).returncode == 0
            continue
        done = subprocess.run(
            ["bash", "-c", line], cwd=ROOT, capture_output=True, text=True, timeout=170, env={**os.environ, "NO_COLOR": "1"}
        )
        assert done.returncode == 0, f"{document}: {line}\n{done.stdout}{done.stderr}"


@pytest.mark.parametrize("document", [pytest.param(document, id=str(document.relative_to(ROOT))) for document in DOCUMENTS])
def test_links_lead_somewhere(document: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#|mailto:)([^)#]+)", document.read_text())
    assert [link for link in links if not (document.parent / link).exists()] == []


def test_tables_are_what_the_code_says() -> None:
    done = subprocess.run([sys.executable, str(ROOT / "docs/tables.py"), "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr

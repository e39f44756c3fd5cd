"""Workflows hold no logic and no more rights than they need: each step is one script, or an action pinned by digest."""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from scripting import ROOT, script

WORKFLOWS = ROOT / ".github" / "workflows"
PINNED = re.compile(r"uses: [\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")
SHELL_LOGIC = re.compile(r"[\n;&|`<>]|\$\(|\$\{\{")

RELEASE = "release.yml"


def faults(folder: Path) -> list[str]:
    """Return what breaks the rules in a folder's workflows."""
    return [f"{path.name}: {fault}" for path in sorted(folder.glob("*.yml")) for fault in _of_workflow(path.read_text())]


def _of_workflow(text: str) -> Iterator[str]:
    workflow: dict[str, Any] = yaml.safe_load(text)
    if workflow.get("permissions") not in ({}, {"contents": "read"}):
        yield "its jobs have rights that they did not ask for"
    if "concurrency" not in workflow:
        yield "no concurrency group"
    for line in text.splitlines():
        if "uses:" in line and not PINNED.search(line):
            yield f"not pinned by digest, with its version beside it: {line.strip()}"
    for name, job in workflow["jobs"].items():
        if "permissions" not in job:
            yield f"{name}: no permissions"
        if "timeout-minutes" not in job:
            yield f"{name}: no timeout"
        for step in job["steps"]:
            if "run" in step:
                yield from (f"{name}: {fault}" for fault in _of_command(step["run"]))
            elif "/checkout@" in step["uses"] and step.get("with", {}).get("persist-credentials") is not False:
                yield f"{name}: the checkout keeps its token"


def _of_command(command: str) -> Iterator[str]:
    if SHELL_LOGIC.search(command):
        yield f"more than one call of a script: {command}"
        return
    called = ROOT / shlex.split(command)[0]
    if called.parent not in (ROOT / "scripts", ROOT / ".ci") or not called.is_file() or not called.stat().st_mode & 0o100:
        yield f"no script of the checkout: {command}"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The workflows, to be spoiled."""
    return Path(shutil.copytree(WORKFLOWS, tmp_path / "workflows"))


def spoil(folder: Path, name: str, old: str, new: str) -> None:
    """Write something else at the first place of a text in a workflow."""
    text = (folder / name).read_text()
    assert old in text
    (folder / name).write_text(text.replace(old, new, 1))


def test_the_workflows_keep_the_rules() -> None:
    assert {path.name for path in WORKFLOWS.iterdir()} == {"ci.yml", "release.yml", "images.yml", "spaces.yml"}
    assert faults(WORKFLOWS) == []


@pytest.mark.parametrize(
    ("name", "old", "new", "fault"),
    [
        ("ci.yml", "permissions: {}", "permissions: write-all", "rights that they did not ask for"),
        ("ci.yml", "concurrency:", "x-concurrency:", "no concurrency group"),
        ("ci.yml", " # v7.0.1", "", "not pinned by digest"),
        ("ci.yml", "@3d3c42e5aac5ba805825da76410c181273ba90b1", "@v7", "not pinned by digest"),
        ("ci.yml", "    permissions:\n      contents: read # the checkout\n", "", "matrix: no permissions"),
        ("ci.yml", "    timeout-minutes: 5\n", "", "matrix: no timeout"),
        ("ci.yml", "persist-credentials: false", "fetch-depth: 1", "matrix: the checkout keeps its token"),
        ("ci.yml", "run: .ci/run", "run: .ci/run-all", "everything: no script of the checkout"),
        ("ci.yml", "run: .ci/run", "run: pip install .", "everything: no script of the checkout"),
        ("ci.yml", "run: .ci/run", "run: scripts/check && scripts/test", "everything: more than one call"),
        ("ci.yml", '"$ENVIRONMENT"', "${{ matrix.environment }}", "wheel: more than one call"),
    ],
)
def test_each_rule_bites(copy: Path, name: str, old: str, new: str, fault: str) -> None:
    spoil(copy, name, old, new)
    found = faults(copy)
    assert found
    assert all(fault in each for each in found)


def test_the_checks_of_schema_and_safety_pass() -> None:
    done = script("check-workflows")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("timeout-minutes: 5", "timeout-minutes: soon", "timeout-minutes"),
        ('tag-target "$GITHUB_REF_NAME"', 'tag-target "${{ github.ref_name }}"', "template-injection"),
        ("permissions: {}", "permissions: write-all", "excessive-permissions"),
    ],
)
def test_the_checks_of_schema_and_safety_bite(copy: Path, old: str, new: str, told: str) -> None:
    spoil(copy, RELEASE, old, new)
    done = script("check-workflows", str(copy))
    assert done.returncode != 0
    assert told in done.stdout + done.stderr


def test_only_the_job_that_publishes_to_the_index_may_ask_for_a_token_of_the_workflow() -> None:
    holders = {
        (path.name, name): job
        for path in WORKFLOWS.glob("*.yml")
        for name, job in yaml.safe_load(path.read_text())["jobs"].items()
        if "id-token" in job["permissions"]
    }
    assert list(holders) == [(RELEASE, "index")]
    (job,) = holders.values()
    assert job["permissions"] == {"id-token": "write"}
    assert job["environment"] == "pypi"
    assert [step["uses"].split("@")[0] for step in job["steps"]] == ["actions/download-artifact", "pypa/gh-action-pypi-publish"]

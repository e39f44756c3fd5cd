"""One program that drives harnesses sees the same of this project as of the published package, but for what is listed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import published_package
import pytest

pytestmark = [pytest.mark.interop, pytest.mark.long, pytest.mark.timeout(600)]

VERSION = "0.10.0"

FAILED_TURN = "there an observation with reward 0 that ends the episode; here a failure is raised and is worth nothing"
OTHERWISE: dict[str, tuple[Any, str]] = {
    "environment: no end": ({"raised": "HarnessError"}, FAILED_TURN),
    "environment: too long": ({"raised": "HarnessTurnTimeoutError"}, FAILED_TURN),
    "environment: not alive": ({"raised": "HarnessNotRunningError"}, FAILED_TURN),
}
"""What is seen here and not there, and why."""


def seen_by(command: list[str], environment: dict[str, str]) -> dict[str, Any]:
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, env=environment)
    assert done.returncode == 0, done.stderr
    seen: dict[str, Any] = json.loads(done.stdout)
    return seen


def test_a_program_sees_the_same() -> None:
    published_package.needed(VERSION)
    without_ours = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    theirs = seen_by(published_package.command(VERSION, "drive_harness.py"), without_ours)
    ours = seen_by([sys.executable, "-W", "error", str(published_package.PROGRAMS / "drive_harness.py")], dict(os.environ))

    truncated = "white box: calls"
    assert ours[truncated]["metrics"] == {"turns": 2, "tool_calls": 3, **theirs[truncated].pop("metrics")}
    del ours[truncated]["metrics"]

    assert ours.keys() == theirs.keys()
    different = {label for label in theirs if ours[label] != theirs[label]}
    assert {label: (ours[label], theirs[label]) for label in different - OTHERWISE.keys()} == {}
    assert {label: ours[label] for label in OTHERWISE} == {label: value for label, (value, _) in OTHERWISE.items()}
    assert different == OTHERWISE.keys(), "take what is the same by now off OTHERWISE"

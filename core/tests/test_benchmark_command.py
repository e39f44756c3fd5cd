"""The one command that compares both packages sets up what it needs, and measures every row."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import published_package
import pytest

CHECKOUT = Path(__file__).parents[2]


@pytest.mark.timeout(400)
def test_the_command_measures_every_row_of_both_packages(tmp_path: Path) -> None:
    if os.environ.get("CI") != "true" and not published_package.is_installed("0.10.0"):
        pytest.skip("the published package is not installed: python core/tests/published_package.py")
    written = tmp_path / "results.json"
    command = [str(CHECKOUT / "scripts" / "bench"), "--quick", "--json", str(written)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=380)
    assert done.returncode == 0, done.stdout + done.stderr
    rows = {row["name"]: row for row in json.loads(written.read_text())["rows"]}
    assert rows.keys() >= {
        "async",
        "sync",
        "http",
        "sessions-64",
        "sessions-512",
        "lanes-64",
        "arrays-100k",
        "memory",
        "install",
        "import",
    }
    assert all(row["errors"] == [] for row in rows.values())
    rate = next(metric for metric in rows["async"]["metrics"] if metric["name"] == "steps_per_s")
    assert rate["sides"]["published"]["minimum"] > 0

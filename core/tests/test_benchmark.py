"""The benchmark runs, measures what it says, and tells of it; how fast anything is does not matter here."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


def test_rows_are_measured_and_told(tmp_path: Path) -> None:
    written = tmp_path / "results.json"
    options = ["--quick", "--without-published", "--seconds", "0.1", "--row", "async", "--row", "sync", "--json", str(written)]
    done = subprocess.run([sys.executable, str(BENCHMARKS), *options], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(written.read_text())
    assert [row["name"] for row in told["rows"]] == ["async", "sync"]
    for row in told["rows"]:
        assert row["errors"] == []
        rate = next(metric for metric in row["metrics"] if metric["name"] == "steps_per_s")
        assert rate["sides"].keys() == {"thread", "inline", "floor", "in process"}
        assert all(len(side["values"]) == 2 and side["minimum"] > 0 for side in rate["sides"].values())
        assert rate["ratios"].keys() == {"thread/floor", "inline/floor"}
    assert {verdict["verdict"] for verdict in told["targets"] if verdict["reference"] == "published"} == {"not measured"}
    assert "thread ÷ floor" in done.stdout
    assert [line.split()[0] for line in done.stdout.splitlines() if "steps/s" in line][:2] == ["async", "sync"]


def test_a_failed_measurement_is_told_and_ends_in_1() -> None:
    program = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "import rows\n"
        "from processes import BenchmarkError\n"
        "from runpy import run_path\n"
        "def failing(bench, side): raise BenchmarkError('it broke')\n"
        "rows.ROWS[:] = [rows.Row('async', 'broken', rows.LATENCIES, ('thread',), failing, generated=False)]\n"
        "sys.argv[1:] = ['--quick', '--without-published']\n"
        "run_path(str(rows.__file__).replace('rows.py', '__main__.py'), run_name='__main__')\n"
    )
    done = subprocess.run([sys.executable, "-c", program, str(BENCHMARKS)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "async FAILED: thread: it broke" in done.stdout

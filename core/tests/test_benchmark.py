"""The benchmark runs, measures what it says, and tells of it; how fast anything is does not matter here."""

from __future__ import annotations

import json
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
DOCS = Path(__file__).parents[2] / "docs"


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


def test_growth_is_measured_and_written_into_the_documents(tmp_path: Path) -> None:
    for name in ("benchmarks.md", "performance.md"):
        shutil.copy(DOCS / name, tmp_path)
    before = (tmp_path / "performance.md").read_text()
    written = tmp_path / "results.json"
    options = ["--growth", "only", "--quick", "--without-published", "--seconds", "0.05", "--repeats", "1"]
    command = [sys.executable, str(BENCHMARKS), *options, "--document", str(tmp_path), "--json", str(written)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=110)
    assert done.returncode == 0, done.stdout + done.stderr
    growths = {growth["name"]: growth for growth in json.loads(written.read_text())["growth"]}
    assert growths.keys() == {"sessions", "list", "array"}
    for name, growth in growths.items():
        assert growth["knees"].keys() == {"thread", "inline", "floor"}
        for size in growth["sizes"]:
            figures = {metric["name"]: metric["sides"] for metric in size["metrics"]}
            assert figures["steps_per_s"].keys() == {"thread", "inline", "floor"}, (name, size["absent"])
            assert ("thread" in figures["session_kb"]) == (size["size"] >= 16) if name == "sessions" else True
    after = (tmp_path / "performance.md").read_text()
    assert before.partition("<!-- growth -->")[0] == after.partition("<!-- growth -->")[0]
    assert "**Threads**: throughput stops growing at **" in after
    assert "| 64 |" in (tmp_path / "benchmarks.md").read_text().partition("<!-- growth -->")[2]


@pytest.mark.long
def test_steps_of_scaling_are_measured_and_written_into_their_document(tmp_path: Path) -> None:
    shutil.copy(DOCS / "scaling.md", tmp_path)
    written = tmp_path / "results.json"
    options = [
        "--scaling",
        "--quick",
        "--seconds",
        "0.1",
        "--repeats",
        "1",
        "--document",
        str(tmp_path),
        "--json",
        str(written),
    ]
    done = subprocess.run([sys.executable, str(BENCHMARKS), *options], capture_output=True, text=True, timeout=110)
    assert done.returncode == 0, done.stdout + done.stderr
    steps = json.loads(written.read_text())["steps"]
    medians = {step: {name: figure["median"] for name, figure in found.items()} for step, found in steps.items()}
    assert {step: found["processes"] for step, found in medians.items()} == {"one": 1, "workers": 3, "fleet": 2, "ray": 2}
    assert [step for step, found in medians.items() if found["beside_mb"] > 0] == ["ray"]
    assert all(found["small_steps_per_s"] > 0 and found["session_kb"] > 0 for found in medians.values())
    assert "| fleet of 2 on a Ray cluster of 2 nodes |" in (tmp_path / "scaling.md").read_text()


def test_knees() -> None:
    knee = runpy.run_path(str(BENCHMARKS / "knee.py"))
    rate = {1: 100.0, 4: 350.0, 16: 910.0, 64: 1000.0, 256: 700.0}
    assert knee["levels_off"](rate) == 16
    assert knee["levels_off"]({}) is None
    assert knee["leaves_proportion"]({4: 1.0, 16: 2.0, 64: 8.0, 256: 65.0}, 16) == 256
    assert knee["leaves_proportion"]({16: 2.0, 64: 15.9}, 16) is None
    assert knee["halves"]({100: 1000.0, 1000: 1000.0, 10_000: 250.0}) == pytest.approx(10**3.5)
    assert knee["halves"]({100: 1000.0, 1000: 501.0}) is None

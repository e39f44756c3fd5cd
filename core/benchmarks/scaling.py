"""What each step of scaling gives on this machine: one process, workers, a fleet, a fleet on a Ray cluster."""

from __future__ import annotations

import json
import os
import platform
import sys
from pathlib import Path
from typing import Any

import document
import report
from processes import BenchmarkError, Program
from results import Spread
from scaling_steps import STEPS

FIGURES = {
    "small_steps_per_s": "steps/s",
    "small_p99_ms": "p99 ms",
    "small_server_us": "server µs a step",
    "thinking_steps_per_s": "computing: steps/s",
    "thinking_p99_ms": "computing: p99 ms",
    "thinking_server_us": "computing: server µs a step",
    "processes": "server processes",
    "idle_mb": "MB at rest",
    "beside_mb": "MB beside the servers",
    "session_kb": "kB a session",
}
PLACE = "scaling"


def run(settings: dict[str, Any], json_file: Path | None, folder: Path | None) -> int:
    """Measure every step in turn, several times; print the medians, and write them where there is a place for them.

    Returns:
        1 where a measurement failed, else 0.
    """
    if not Path("/proc/self/environ").exists():
        print("what steps of scaling give can be measured on Linux alone: servers are found in /proc", file=sys.stderr)
        return 1
    measured: dict[str, list[dict[str, float]]] = {step: [] for step in STEPS}
    for repeat in range(settings["repeats"]):
        order = [*STEPS][repeat % len(STEPS) :] + [*STEPS][: repeat % len(STEPS)]
        for step in order:
            print(f"[{repeat + 1}/{settings['repeats']}] {STEPS[step]}", file=sys.stderr, flush=True)
            try:
                measured[step].append(_measure(step, settings))
            except BenchmarkError as error:
                print(f"{STEPS[step]} FAILED: {error}", file=sys.stderr)
                return 1
    spreads = {step: {key: _spread(found, key) for key in FIGURES} for step, found in measured.items()}
    cells = [[name, *(_cell(spreads[step][key]) for step in STEPS)] for key, name in FIGURES.items()]
    head = ["", *STEPS.values()]
    about = _about(settings)
    print(f"\n{about}\n\n{report.aligned(head, cells)}")
    if json_file is not None:
        values = {step: {key: spread.as_json() for key, spread in found.items()} for step, found in spreads.items()}
        json_file.write_text(json.dumps({"about": about, "steps": values}, indent=1, ensure_ascii=False) + "\n")
    if folder is not None:
        document.write(folder / document.SCALING, PLACE, [about, report.markdown_table(head, cells)])
        print(f"wrote {document.SCALING}")
    return 0


def _measure(step: str, settings: dict[str, Any]) -> dict[str, float]:
    told = [str(settings[name]) for name in ("seconds", "warmup_s", "held")]
    with Program(Path(sys.executable), "scaling_load", step, *told) as program:
        figures: dict[str, float] = json.loads(program.line())
    return figures


def _spread(found: list[dict[str, float]], key: str) -> Spread:
    return Spread(tuple(figures[key] for figures in found))


def _cell(spread: Spread) -> str:
    least, most = min(spread.values), max(spread.values)
    told = _number(spread.median)
    return told if least == most else f"{told} ({_number(least)}–{_number(most)})"


def _number(value: float) -> str:
    return f"{value:,.0f}" if float(value).is_integer() else report.rounded(value)


def _about(settings: dict[str, Any]) -> str:
    return (
        f"Python {platform.python_version()} on {platform.system()}, {os.cpu_count()} cores, which the load generator shares; "
        f"{settings['repeats']} repeats of {settings['seconds']:g} s with 64 sessions, memory with {settings['held']:,}; "
        "median (least–greatest)."
    )

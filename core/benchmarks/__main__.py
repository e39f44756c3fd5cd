"""Measures this project and the published package with the same environment and the same load, in turn.

Every row is also measured against the floor: the same messages over bare sockets, and the environment in process.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import chart
import document
import report
from bench import Bench
from driver import Driver
from results import RowResult
from rows import PUBLISHED, ROWS, SIDES
from targets import verdicts

SETTINGS: dict[bool, dict[str, Any]] = {
    False: {"repeats": 5, "seconds": 1.5, "warmup_s": 0.4, "held": 1000},
    True: {"repeats": 2, "seconds": 0.3, "warmup_s": 0.1, "held": 100},
}
BUSY = 0.5
"""Load above which others are told to be at work."""


def parser() -> argparse.ArgumentParser:
    """Return the command line."""
    names = ", ".join(row.name for row in ROWS)
    made = argparse.ArgumentParser("scripts/bench", description=__doc__, epilog=f"Rows: {names}.")
    made.add_argument("--quick", action="store_true", help="about two minutes: short, two repeats, 100 sessions in memory")
    made.add_argument(
        "--row", action="append", metavar="NAME", choices=[row.name for row in ROWS], help="only this; repeatable"
    )
    made.add_argument("--repeats", type=int, help="measurements of each row on each side (5; quick: 2)")
    made.add_argument("--seconds", type=float, help="how long a measurement lasts (1.5; quick: 0.3)")
    made.add_argument("--without-published", action="store_true", help="only ours and the floor")
    made.add_argument("--json", type=Path, metavar="FILE", help="write everything that was measured")
    made.add_argument("--chart", type=Path, metavar="FOLDER", help="write benchmark.svg and benchmark.png")
    made.add_argument("--document", action="store_true", help="write docs/benchmarks.md and its chart")
    return made


def main(arguments: list[str] | None = None) -> int:
    """Run what the command line asks for; return 1 where a measurement failed. A target missed is no failure."""
    chosen = parser().parse_args(arguments)
    given = {"repeats": chosen.repeats, "seconds": chosen.seconds}
    settings = SETTINGS[chosen.quick] | {name: value for name, value in given.items() if value is not None}
    sides = tuple(side for side in SIDES if not (chosen.without_published and side == PUBLISHED))
    busy = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    if busy > BUSY:
        print(f"This machine is busy (load {busy:.1f}): what follows is rough.", file=sys.stderr)
    bench = Bench(settings["seconds"], settings["warmup_s"], settings["held"])
    try:
        if PUBLISHED in sides:
            bench.python(PUBLISHED)
        driver = Driver(bench, sides, settings["repeats"], keep=chosen.quick)
        results = driver.run([row for row in ROWS if not chosen.row or row.name in chosen.row])
    except subprocess.CalledProcessError as error:
        print(f"an installation failed: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nstopped", file=sys.stderr)
        return 130
    known = report.facts(driver.facts, settings | {"load_before": busy})
    _print(results, known)
    if chosen.json:
        chosen.json.write_text(json.dumps(report.as_json(results, known), indent=1, ensure_ascii=False) + "\n")
    folders = [folder for folder in (chosen.chart, document.IMAGES if chosen.document else None) if folder]
    for folder in folders:
        _chart(results, folder)
    if chosen.document:
        print(f"wrote {document.write(report.markdown(results, known)).name}")
    return int(any(result.errors for result in results))


def _print(results: list[RowResult], known: dict[str, Any]) -> None:
    loops = ", ".join(sorted(set(known["loops"].values())))
    print(f"\n{', '.join(known['packages'])}; Python {known['python']}, {known['system']}, {known['cores']} cores")
    print(f"{known['repeats']} repeats of {known['seconds']:g} s in turn; the callers' event loop: {loops or 'none'}\n")
    print(report.figures_table(results), end="\n\n")
    print(report.ABOUT)
    found = verdicts(results)
    if found:
        print("\n" + report.targets_table(found))
    told = report.notes(results)
    if told:
        print("\n" + "\n".join(told))


def _chart(results: list[RowResult], folder: Path) -> None:
    try:
        paths = chart.save(results, folder)
    except (ImportError, ValueError) as error:
        print(f"no chart: {error}")
    else:
        print("wrote " + ", ".join(path.name for path in paths))


if __name__ == "__main__":
    sys.exit(main())

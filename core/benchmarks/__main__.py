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
import growth
import growth_chart
import growth_report
import report
import scaling
from bench import Bench
from driver import Driver
from growth import Growth
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
    made.add_argument(
        "--growth",
        nargs="?",
        const="also",
        choices=["also", "only"],
        help="how cost grows with sessions and content, after the rows or instead: about 25 minutes, quick: 1",
    )
    made.add_argument(
        "--scaling",
        action="store_true",
        help="only what one process, workers, a fleet and a Ray cluster give: about 6 minutes, quick 1; Linux",
    )
    made.add_argument("--repeats", type=int, help="measurements of each row on each side (5; quick: 2)")
    made.add_argument("--seconds", type=float, help="how long a measurement lasts (1.5; quick: 0.3)")
    made.add_argument("--without-published", action="store_true", help="only ours and the floor")
    made.add_argument("--json", type=Path, metavar="FILE", help="write everything that was measured")
    made.add_argument("--chart", type=Path, metavar="FOLDER", help="draw what was measured, as SVG and PNG")
    made.add_argument(
        "--document",
        type=Path,
        nargs="?",
        const=document.DOCS,
        metavar="FOLDER",
        help=f"write {document.BENCHMARKS} and {document.PERFORMANCE} and their charts, or {document.SCALING} (in docs)",
    )
    return made


def main(arguments: list[str] | None = None) -> int:
    """Run what the command line asks for; return 1 where a measurement failed. A target missed is no failure."""
    line = parser()
    chosen = line.parse_args(arguments)
    if chosen.row and chosen.growth == "only":
        line.error("--growth only measures no rows: leave out --row, or say --growth")
    if chosen.scaling and (chosen.row or chosen.growth or chosen.chart):
        line.error("--scaling measures nothing else, and draws nothing: leave out --row, --growth and --chart")
    given = {"repeats": chosen.repeats, "seconds": chosen.seconds}
    settings = SETTINGS[chosen.quick] | {name: value for name, value in given.items() if value is not None}
    sides = tuple(side for side in SIDES if not (chosen.without_published and side == PUBLISHED))
    busy = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    if busy > BUSY:
        print(f"This machine is busy (load {busy:.1f}): what follows is rough.", file=sys.stderr)
    if chosen.scaling:
        return _scaling(settings, chosen.json, chosen.document)
    bench = Bench(settings["seconds"], settings["warmup_s"], settings["held"])
    rows = [row for row in ROWS if not chosen.row or row.name in chosen.row] if chosen.growth != "only" else []
    scales = growth.scales(chosen.quick) if chosen.growth else []
    try:
        if PUBLISHED in sides:
            bench.python(PUBLISHED)
        driver = Driver(bench, sides, settings["repeats"], keep=chosen.quick)
        found = driver.run(rows + [row for scale in scales for row in scale.rows.values()])
    except subprocess.CalledProcessError as error:
        print(f"an installation failed: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nstopped", file=sys.stderr)
        return 130
    results, rest = found[: len(rows)], iter(found[len(rows) :])
    growths = [Growth(scale.name, dict(zip(scale.rows, rest, strict=False))) for scale in scales]
    known = report.facts(driver.facts, settings | {"load_before": busy})
    _print(results, growths, known)
    if chosen.json:
        told = report.as_json(results, known) | ({"growth": growth_report.as_json(growths)} if growths else {})
        chosen.json.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n")
    if chosen.chart:
        _draw(results, growths, chosen.chart)
    if chosen.document:
        _document(results, growths, known, chosen.document)
    return int(any(result.errors for result in found))


def _scaling(settings: dict[str, Any], json_file: Path | None, folder: Path | None) -> int:
    try:
        return scaling.run(settings, json_file, folder)
    except KeyboardInterrupt:
        print("\nstopped", file=sys.stderr)
        return 130


def _print(results: list[RowResult], growths: list[Growth], known: dict[str, Any]) -> None:
    loops = ", ".join(sorted(set(known["loops"].values())))
    print(f"\n{report.circumstances(known)} The callers' event loop: {loops or 'none'}.\n")
    if results:
        print(report.figures_table(results), end="\n\n")
        print(report.ABOUT)
    reached = verdicts(results)
    if reached:
        print("\n" + report.targets_table(reached))
    if growths:
        print("\n" + growth_report.terminal(growths))
    told = report.notes(results) + growth_report.failures(growths)
    if told:
        print("\n" + "\n".join(told))


def _draw(results: list[RowResult], growths: list[Growth], folder: Path) -> list[Path]:
    paths: list[Path] = []
    try:
        if results:
            paths += chart.save(results, folder)
    except (ImportError, ValueError) as error:
        print(f"no chart of the rows: {error}")
    try:
        paths += growth_chart.save(growths, folder)
    except ImportError as error:
        print(f"no chart of growth: {error}")
    print("drew " + (", ".join(path.name for path in paths) or "nothing"))
    return paths


def _document(results: list[RowResult], growths: list[Growth], known: dict[str, Any], folder: Path) -> None:
    paths = _draw(results, growths, folder / document.IMAGES)
    written = []
    if results:
        shown = document.picture(paths, chart.NAME, "How many times as good as the published package each row is")
        document.write(folder / document.BENCHMARKS, document.RESULTS, [*shown, report.markdown(results, known)])
        written.append(document.BENCHMARKS)
    if growths:
        crowd = document.picture(paths, growth_chart.SESSIONS_NAME, "Rate, latency, memory and cost of a step by sessions")
        content = document.picture(paths, growth_chart.CONTENT_NAME, "Steps and megabytes a second by the content's size")
        knees = growth_report.paragraphs(growths, crowd, content)
        about = report.circumstances(known)
        document.write(folder / document.PERFORMANCE, document.GROWTH, [about, *knees])
        document.write(folder / document.BENCHMARKS, document.GROWTH, [about, growth_report.markdown_tables(growths)])
        written += [document.PERFORMANCE, document.BENCHMARKS]
    print(f"wrote {', '.join(dict.fromkeys(written)) or 'no document'}")


if __name__ == "__main__":
    sys.exit(main())

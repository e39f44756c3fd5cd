"""Results as tables of text and of Markdown, and as JSON."""

from __future__ import annotations

import os
import platform
from typing import Any

from results import RowResult, Spread
from rows import FLOOR, OURS, PUBLISHED, SIDES, Metric
from targets import NOT_MEASURED, Verdict, verdicts

NONE = "–"
RATIOS = "Ratios: median (least–greatest) of ours over the other's, repeat by repeat; below 1× is better where less is better."
ABOUT = (
    f"{RATIOS}\n±: half of what lies between the least and the greatest value, as a share of the median.\n"
    "floor: the same messages over bare sockets. in process: the environment called directly."
)


def as_json(results: list[RowResult], facts: dict[str, Any]) -> dict[str, Any]:
    """Return all that was found out, with every single value."""
    return {
        "facts": facts,
        "rows": [result.as_json() for result in results],
        "targets": [verdict.as_json() for verdict in verdicts(results)],
    }


def facts(generators: dict[str, dict[str, str]], settings: dict[str, Any]) -> dict[str, Any]:
    """Return what the figures depend on."""
    return {
        "python": platform.python_version(),
        "system": platform.system(),
        "cores": os.cpu_count(),
        "packages": sorted({told["package"] for told in generators.values()}),
        "loops": {side: told["loop"] for side, told in sorted(generators.items())},
        **settings,
    }


def circumstances(known: dict[str, Any]) -> str:
    """Return in one line what was measured, and on what."""
    told = f"Python {known['python']} on {known['system']}, {known['cores']} cores"
    return f"{', '.join(known['packages'])}; {told}; {known['repeats']} repeats of {known['seconds']:g} s."


def figures_table(results: list[RowResult]) -> str:
    """Return what was measured, for a terminal."""
    head = ["row", "figure", *SIDES, "thread ÷ publ.", "inline ÷ publ.", "thread ÷ floor", "inline ÷ floor"]
    rows = []
    for result in results:
        for number, metric in enumerate(result.row.metrics):
            measured = [_figure(result.spread(metric, side)) for side in SIDES]
            ratios = [_ratio(result.ratio(metric, side, other)) for other in (PUBLISHED, FLOOR) for side in OURS]
            rows.append(["" if number else result.row.name, metric.unit, *measured, *ratios])
    return aligned(head, rows)


def targets_table(found: list[Verdict]) -> str:
    """Return which targets were reached, for a terminal."""
    return aligned(["target", "ours", "compared to", "wanted", "reached", ""], [_target_cells(verdict) for verdict in found])


def notes(results: list[RowResult]) -> list[str]:
    """Return what the tables do not say: what types travelled, what could not be measured, what failed."""
    lines = []
    for result in results:
        name = result.row.name
        if len(set(result.used.values())) > 1:
            lines.append(f"{name}: " + ", ".join(f"{side} has {used}" for side, used in result.used.items()))
        lines += [f"{name}, {side}: {why}" for side, why in result.absent.items()]
        lines += [f"{name} FAILED: {error}" for error in result.errors]
    return lines


def markdown(results: list[RowResult], known: dict[str, Any]) -> str:
    """Return ratios, targets and what they depend on: nothing that another machine could not give."""
    head = ["", "figure", "thread ÷ published", "inline ÷ published", "thread ÷ floor", "inline ÷ floor"]
    rows, alone = [], []
    for result in results:
        for number, metric in enumerate(result.row.metrics):
            title = "" if number else result.row.title
            pairs = [(side, other) for other in (PUBLISHED, FLOOR) for side in OURS]
            cells = [_ratio(result.ratio(metric, side, other)) for side, other in pairs]
            own = [_figure(result.spread(metric, side)) for side in OURS]
            if set(cells) != {NONE}:
                rows.append([title, _told(metric), *cells])
            elif set(own) != {NONE}:
                alone.append([title, _told(metric), *own])
    verdict_rows = [_target_cells(verdict) for verdict in verdicts(results)]
    parts = [
        circumstances(known),
        markdown_table(head, rows),
        *([markdown_table(["compared to nobody", "figure", *OURS], alone)] if alone else []),
        markdown_table(["target", "ours", "compared to", "wanted", "reached", ""], verdict_rows),
    ]
    told = [*notes(results), RATIOS]
    return "\n\n".join([*parts, "\n".join(f"- {line}" for line in told)])


def _told(metric: Metric) -> str:
    return f"{metric.unit}, {'more' if metric.higher_is_better else 'less'} is better"


def _target_cells(verdict: Verdict) -> list[str]:
    target = verdict.target
    sign = "≥" if verdict.higher_is_better else "≤"
    reached = NONE if verdict.reached is None else f"{rounded(verdict.reached)}×"
    word = verdict.word if verdict.word == NOT_MEASURED else verdict.word.upper() if verdict.word == "missed" else verdict.word
    reference = "bare sockets" if target.reference == FLOOR else target.reference
    wanted = f"{sign} {rounded(target.limit)}×"
    return [f"{target.row}, {verdict.unit}", target.side, reference, wanted, reached, word]


def _figure(spread: Spread | None) -> str:
    if spread is None:
        return NONE
    return rounded(spread.median) + (f" ±{spread.half_range:.0%}" if len(spread.values) > 1 else "")


def _ratio(spread: Spread | None) -> str:
    if spread is None:
        return NONE
    least, greatest = rounded(min(spread.values)), rounded(max(spread.values))
    return f"{rounded(spread.median)}×" + (f" ({least}–{greatest})" if least != greatest else "")


def rounded(value: float) -> str:
    """Return a number with three digits that count, or all before the point."""
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}" if abs(value) >= 0.095 else f"{value:.2g}"


def aligned(head: list[str], rows: list[list[str]]) -> str:
    """Return a table whose first two columns stand left and all others right."""
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    lines = []
    for cells in (head, ["─" * width for width in widths], *rows):
        aligned = (
            cell.ljust(width) if place < 2 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(cells, widths, strict=True))
        )
        lines.append("  ".join(aligned).rstrip())
    return "\n".join(lines)


def markdown_table(head: list[str], rows: list[list[str]]) -> str:
    """Return a table for a document."""
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *rows))

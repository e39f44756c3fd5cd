"""The results as a picture: how many times better than the published package."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

from results import RowResult, Spread
from rows import INLINE, P50, PUBLISHED, THREAD, Metric

NAME = "benchmark"
COLOURS = {THREAD: "#1f6f8b", INLINE: "#e07a3f"}
LABELS = {THREAD: "thread isolation (the default)", INLINE: "inline isolation"}
BAR = 0.38


def save(results: list[RowResult], folder: Path) -> list[Path]:
    """Write the chart as SVG and PNG, and return where.

    Raises:
        ImportError: matplotlib is not installed.
        ValueError: nothing was compared to the published package.
    """
    lines = [
        (f"{result.row.name}: {metric.unit}", gains)
        for result in results
        for metric in result.row.metrics
        if metric != P50 and (gains := _gains(result, metric))
    ]
    if not lines:
        raise ValueError("nothing was compared to the published package")
    figure = new_figure(8, 1.4 + 0.34 * len(lines))
    axes = figure.add_subplot()
    _draw(axes, lines)
    return save_figure(figure, folder, NAME)


def new_figure(width: float, height: float) -> Any:
    """Return an empty drawing, its sides in inches. Raises ImportError where matplotlib is not installed."""
    import_module("matplotlib").rcParams.update({"font.size": 9})
    return import_module("matplotlib.figure").Figure(figsize=(width, height), layout="constrained")


def save_figure(figure: Any, folder: Path, name: str) -> list[Path]:
    """Write a drawing as SVG and PNG, each the same from the same figures, and return where."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{name}.svg", folder / f"{name}.png"]
    with import_module("matplotlib").rc_context({"svg.hashsalt": name}):
        figure.savefig(paths[0], metadata={"Date": None, "Creator": None})
        figure.savefig(paths[1], dpi=150, metadata={"Software": None})
    return paths


def _draw(axes: Any, lines: list[tuple[str, dict[str, Spread]]]) -> None:
    for side, place in ((THREAD, -BAR / 2), (INLINE, BAR / 2)):
        shown = [(number + place, gains[side]) for number, (_, gains) in enumerate(lines) if side in gains]
        middles = [spread.median for _, spread in shown]
        below = [spread.median - min(spread.values) for _, spread in shown]
        above = [max(spread.values) - spread.median for _, spread in shown]
        axes.barh(
            [height for height, _ in shown],
            [middle - 1 for middle in middles],
            left=1,
            height=BAR,
            color=COLOURS[side],
            label=LABELS[side],
            xerr=[below, above],
            error_kw={"elinewidth": 0.8, "ecolor": "#444444"},
        )
        for (height, spread), more in zip(shown, above, strict=True):
            end = max(spread.median + more, 1)
            axes.annotate(f" {spread.median:.2g}×", (end, height), va="center", fontsize=7, color="#333333")
    axes.set_xscale("log")
    axes.set_yticks(range(len(lines)), [label for label, _ in lines])
    axes.invert_yaxis()
    axes.axvline(1, color="#222222", linewidth=1)
    axes.margins(x=0.12)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}×")
    axes.set_xlabel("times as good as the published package (right of 1×: better)")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, 1.0 + 1.2 / (len(lines) + 2)), ncols=2, frameon=False)


def _gains(result: RowResult, metric: Metric) -> dict[str, Spread]:
    """Return how many times better each side is: the ratio, turned round where less is better."""
    gains = {}
    for side in (THREAD, INLINE):
        ratio = result.ratio(metric, side, PUBLISHED)
        if ratio is not None:
            values = ratio.values if metric.higher_is_better else tuple(1 / value for value in ratio.values)
            gains[side] = Spread(values)
    return gains

"""What growth costs as pictures: one of sessions, one of content."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import knee
from chart import new_figure, save_figure
from growth import ARRAYS, MB_PER_S, SERVER_US, SESSION_KB, SESSIONS, Growth
from rows import FLOOR, INLINE, P50, P99, PUBLISHED, STEPS, THREAD, Metric

SESSIONS_NAME, CONTENT_NAME = "growth-sessions", "growth-content"
COLOURS = {THREAD: "#1f6f8b", INLINE: "#e07a3f", PUBLISHED: "#8a5fa8", FLOOR: "#8c8c8c"}
LABELS = {THREAD: "threads (the default)", INLINE: "inline", PUBLISHED: "published package", FLOOR: "bare sockets"}
MARKERS = {THREAD: "o", INLINE: "s", PUBLISHED: "D", FLOOR: "^"}
SOLID, DASHED = "-", (0, (4, 2))
RING = {"s": 190, "facecolors": "none", "edgecolors": "#222222", "linewidths": 1.3, "zorder": 5}


def save(growths: list[Growth], folder: Path) -> list[Path]:
    """Write both charts as SVG and PNG, and return where.

    Raises:
        ImportError: matplotlib is not installed.
    """
    sessions = [growth for growth in growths if growth.name == SESSIONS and growth.sides]
    contents = [growth for growth in growths if growth.name != SESSIONS and growth.sides]
    paths = []
    if sessions:
        figure = new_figure(10, 7.4)
        _draw_sessions(figure, sessions[0])
        paths += save_figure(figure, folder, SESSIONS_NAME)
    if contents:
        figure = new_figure(10, 4.6)
        _draw_contents(figure, contents)
        paths += save_figure(figure, folder, CONTENT_NAME)
    return paths


def _draw_sessions(figure: Any, growth: Growth) -> None:
    ((rate, latency), (memory, cost)) = figure.subplots(2, 2)
    for side in growth.sides:
        line = _line(rate, growth, STEPS, side, LABELS[side])
        bend = knee.levels_off(growth.curve(STEPS, side))
        if bend is not None:
            rate.scatter([bend], [growth.curve(STEPS, side)[bend]], **RING)
        _line(latency, growth, P50, side, None)
        _line(latency, growth, P99, side, None, DASHED)
        if side != FLOOR:
            _line(memory, growth, SESSION_KB, side, None)
        _line(cost, growth, SERVER_US, side, None)
        line.set_zorder(3)
    _title(rate, "steps/s of all sessions together (ring: the knee)")
    _title(latency, "ms for a step: p50, and p99 dashed")
    _title(memory, "kB of the server's memory for a session")
    _title(cost, "µs of the server's processor time for a step")
    for axes in (rate, latency, memory, cost):
        _across(axes, list(growth.results), [f"{size:,}" for size in growth.results], "sessions")
    for axes in (rate, memory, cost):
        axes.set_ylim(bottom=0)
    latency.set_yscale("log")
    for axes in (rate, latency, memory, cost):
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.10g}")
    figure.legend(
        *rate.get_legend_handles_labels(), loc="outside upper center", ncols=len(growth.sides), handlelength=3, frameon=False
    )


def _draw_contents(figure: Any, growths: list[Growth]) -> None:
    rate, flow = figure.subplots(1, 2)
    for growth in growths:
        style = DASHED if growth.name == ARRAYS else SOLID
        for side in growth.sides:
            names = ("text", "bytes") if side == FLOOR else ("list", "array")
            curve = growth.curve(STEPS, side)
            _line(rate, growth, STEPS, side, f"{LABELS[side]}: {names[growth.name == ARRAYS]}", style)
            _line(flow, growth, MB_PER_S, side, None, style)
            bend = knee.halves(curve)
            if bend is not None:
                rate.scatter([bend], [max(curve.values()) / 2], **RING)
    _title(rate, "steps/s of one session (ring: half of the most)")
    _title(flow, "MB/s of content, 8 bytes a float")
    sizes = list(growths[0].results)
    ticks = [
        f"{size / 10**6:g} MB" if size >= 10**6 else f"{size / 1000:g} kB" if size >= 1000 else f"{size} B" for size in sizes
    ]
    for axes in (rate, flow):
        _across(axes, sizes, ticks, "content of an observation")
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.10g}")
    figure.legend(*rate.get_legend_handles_labels(), loc="outside upper center", ncols=4, handlelength=3, frameon=False)


def _line(axes: Any, growth: Growth, metric: Metric, side: str, label: str | None, style: Any = SOLID) -> Any:
    curve = growth.curve(metric, side)
    (line,) = axes.plot(
        list(curve), list(curve.values()), color=COLOURS[side], marker=MARKERS[side], markersize=4, linestyle=style, label=label
    )
    spreads = [spread for size in curve if (spread := growth.spread(size, metric, side)) is not None]
    low, high = [min(spread.values) for spread in spreads], [max(spread.values) for spread in spreads]
    axes.fill_between(list(curve), low, high, color=COLOURS[side], alpha=0.15, linewidth=0)
    return line


def _across(axes: Any, sizes: list[int], labels: list[str], name: str) -> None:
    axes.set_xscale("log")
    axes.set_xlim(sizes[0] / 1.5, sizes[-1] * 1.5)
    axes.set_xticks(sizes, labels)
    axes.minorticks_off()
    axes.set_xlabel(name)
    axes.grid(color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def _title(axes: Any, text: str) -> None:
    axes.set_title(text, fontsize=9, loc="left")

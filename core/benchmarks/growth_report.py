"""What growth costs, in words and tables."""

from __future__ import annotations

from typing import Any

import knee
from growth import CLIENT_BUSY, LISTS, MB_PER_S, SERVER_BUSY, SESSIONS, Growth
from report import NONE, aligned, markdown_table, rounded
from rows import FLOOR, INLINE, P99, PUBLISHED, STEPS, THREAD

NAMES = {THREAD: "Threads", INLINE: "Inline", PUBLISHED: "The published package", FLOOR: "Bare sockets"}
FULL = 85.0
"""A process that is busy for so many percent of the time does as much as it can."""


def as_json(growths: list[Growth]) -> list[dict[str, Any]]:
    """Return every value and every knee."""
    return [growth.as_json() | {"knees": {side: _knee(growth, side) for side in growth.sides}} for growth in growths]


def terminal(growths: list[Growth]) -> str:
    """Return tables and knees for a terminal."""
    tables = [f"{_head(growth, side)}\n{aligned(*_table(growth, side))}" for growth in growths for side in growth.sides]
    knees = [line for growth in growths for line in sentences(growth)]
    return "\n\n".join([*tables, "\n".join(knees).replace("**", "")])


def markdown_tables(growths: list[Growth]) -> str:
    """Return every figure."""
    return "\n\n".join(
        f"{_head(growth, side)}:\n\n{markdown_table(*_table(growth, side))}" for growth in growths for side in growth.sides
    )


def sentences(growth: Growth) -> list[str]:
    """Return a scale's knees in words, and where and why a side stops."""
    say = _of_sessions if growth.name == SESSIONS else _of_content
    return [f"**{_name(growth, side)}**: {say(growth, side)}{_stop(growth, side)}" for side in growth.sides]


def paragraphs(growths: list[Growth], crowd: list[str], content: list[str]) -> list[str]:
    """Return the knees for a document, each list of them under its chart."""
    found = []
    for heading, shown, wanted in (("Sessions", crowd, True), ("Content", content, False)):
        lines = [f"- {line}" for growth in growths if (growth.name == SESSIONS) is wanted for line in sentences(growth)]
        found += [f"### {heading}", *shown, "\n".join(lines)]
    return [*found, *failures(growths)]


def failures(growths: list[Growth]) -> list[str]:
    """Return what went wrong."""
    results = [result for growth in growths for result in growth.results.values()]
    return [f"{result.row.name} FAILED: {error}" for result in results for error in result.errors]


def _of_sessions(growth: Growth, side: str) -> str:
    rate, tail = growth.curve(STEPS, side), growth.curve(P99, side)
    bend = knee.levels_off(rate)
    if bend is None:
        return "no figures."
    last, most = max(rate), max(rate.values())
    said = [f"throughput stops growing at **{_sessions(bend)}**, with {rounded(rate[bend])} steps/s"]
    if rate[last] < knee.NEARLY_ALL * most:
        said.append(f"{_sessions(last)} do {rate[last] / most:.0%} of the most")
    left = knee.leaves_proportion(tail, bend)
    if bend == last:
        said[0] += ", and no more were tried"
    elif left is None:
        said.append(f"beyond, p99 grows about as the sessions do, from {_ms(tail[bend])} to {_ms(tail[last])}")
    else:
        said.append(f"beyond, p99 is more than twice what is in proportion from {_sessions(left)} on ({_ms(tail[left])})")
    server, client = growth.curve(SERVER_BUSY, side)[bend], growth.curve(CLIENT_BUSY, side)[bend]
    said.append(f"at the knee the server is busy for {server:.0f} % of the time and the load generator for {client:.0f} %")
    if client >= FULL:
        said[-1] += ", so the generator takes part in the limit" if server >= FULL else ", so the limit is the generator's"
    return "; ".join(said) + "."


def _of_content(growth: Growth, side: str) -> str:
    rate, flow = growth.curve(STEPS, side), growth.curve(MB_PER_S, side)
    bend, full = knee.halves(rate), knee.levels_off(flow)
    if full is None:
        return "no figures."
    last = max(flow)
    told = f"steps/s have halved at **{_bytes(bend)}**" if bend is not None else "steps/s do not halve in what was measured"
    most = f"the most is {rounded(max(flow.values()))} MB/s, nearly reached with {_bytes(full)}"
    at_last = (
        "" if flow[last] >= knee.NEARLY_ALL * max(flow.values()) else f", and {rounded(flow[last])} MB/s with {_bytes(last)}"
    )
    return f"{told}; {most}{at_last}."


def _stop(growth: Growth, side: str) -> str:
    found = growth.stop(side)
    if found is None:
        return ""
    size, why = found
    return f" It stops before {_size(growth, size)}: {why}."


def _knee(growth: Growth, side: str) -> dict[str, float | None]:
    rate = growth.curve(STEPS, side)
    if growth.name != SESSIONS:
        return {"halves": knee.halves(rate), "levels_off": knee.levels_off(growth.curve(MB_PER_S, side))}
    bend = knee.levels_off(rate)
    left = None if bend is None else knee.leaves_proportion(growth.curve(P99, side), bend)
    return {"levels_off": bend, "leaves_proportion": left}


def _table(growth: Growth, side: str) -> tuple[list[str], list[list[str]]]:
    metrics = next(iter(growth.results.values())).row.metrics
    rows = []
    for size in growth.results:
        spreads = [growth.spread(size, metric, side) for metric in metrics]
        rows.append([_size(growth, size), *(NONE if spread is None else rounded(spread.median) for spread in spreads)])
    return [growth.name if growth.name == SESSIONS else "content", *(metric.unit for metric in metrics)], rows


def _head(growth: Growth, side: str) -> str:
    return f"{_name(growth, side)}, {'sessions' if growth.name == SESSIONS else 'one session'}"


def _name(growth: Growth, side: str) -> str:
    if growth.name == SESSIONS:
        return NAMES[side]
    return f"{NAMES[side]}, {'text' if side == FLOOR and growth.name == LISTS else 'bytes' if side == FLOOR else growth.name}"


def _size(growth: Growth, size: int) -> str:
    return f"{size:,}" if growth.name == SESSIONS else _bytes(size)


def _sessions(count: int) -> str:
    return f"{count:,} session{'s' if count > 1 else ''}"


def _bytes(size: float) -> str:
    """Return a size with two digits that count."""
    size = float(f"{size:.2g}")
    for unit in ("B", "kB"):
        if size < 1000:
            return f"{size:g} {unit}"
        size /= 1000
    return f"{size:g} MB"


def _ms(milliseconds: float) -> str:
    return f"{rounded(milliseconds)} ms"

"""Runs rows: every side in turn, several times over."""

from __future__ import annotations

import sys
import time
from math import ceil

from bench import Bench
from processes import BenchmarkError
from results import RowResult
from rows import Row


class Driver:
    """Measures rows and shows on standard error how far it is.

    Args:
        bench: what to measure with.
        sides: whom to measure.
        repeats: how often.
        keep: let servers and load generators live from row to row; else each row has its own.
    """

    def __init__(self, bench: Bench, sides: tuple[str, ...], repeats: int, *, keep: bool) -> None:
        self._bench = bench
        self._sides = sides
        self._repeats = repeats
        self._keep = keep
        self.facts: dict[str, dict[str, str]] = {}

    def run(self, rows: list[Row]) -> list[RowResult]:
        """Return what each row gave; one that fails says so in its `errors` and does not end the run."""
        began = time.monotonic()
        results = []
        try:
            for number, row in enumerate(rows, 1):
                _say(f"[{number}/{len(rows)}, {time.monotonic() - began:.0f} s] {row.title} ")
                results.append(self._row(row))
                _say("\n")
        finally:
            self._bench.close()
        return results

    def _row(self, row: Row) -> RowResult:
        result = RowResult(row)
        sides = tuple(side for side in self._sides if side in row.sides)
        try:
            self._bench.prepare(sides if row.generated else (), row.kind)
        except BenchmarkError as error:
            self._failed(result, "start", error)
            return result
        for repeat in range(ceil(self._repeats / row.every)):
            turn = repeat % len(sides) if sides else 0
            for side in sides[turn:] + sides[:turn]:
                if side not in result.absent:
                    self._measure(result, side)
                _say(".")
        self.facts.update(self._bench.facts())
        if not self._keep:
            self._bench.close()
        return result

    def _measure(self, result: RowResult, side: str) -> None:
        try:
            figures = result.row.measure(self._bench, side)
        except BenchmarkError as error:
            self._failed(result, side, error)
            return
        if "absent" in figures:
            result.absent[side] = figures["absent"]
            return
        used = figures.pop("used", None)
        if used:
            result.used[side] = used
        result.measured.setdefault(side, []).append(figures)

    def _failed(self, result: RowResult, where: str, error: BenchmarkError) -> None:
        _say(f"\n{where}: {error}\n")
        result.errors.append(f"{where}: {error}")
        result.absent[where] = "failed"
        self._bench.close()


def _say(text: str) -> None:
    print(text, end="", file=sys.stderr, flush=True)

"""Writes the results into docs/benchmarks.md, between its two marks."""

from __future__ import annotations

from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"
DOCUMENT = DOCS / "benchmarks.md"
IMAGES = DOCS / "images"
CHART = "benchmark.svg"
BEGIN, END = "<!-- results -->", "<!-- end of results -->"


def write(text: str) -> Path:
    """Put the results into the document, above them the chart where there is one, and return it.

    Raises:
        ValueError: it has no place for them.
    """
    if (IMAGES / CHART).exists():
        text = f"![How many times as good as the published package each row is](images/{CHART})\n\n{text}"
    before, begin, rest = DOCUMENT.read_text().partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"{DOCUMENT.name} has no place for results: {BEGIN} … {END}")
    DOCUMENT.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}")
    return DOCUMENT

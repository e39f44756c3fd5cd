"""Writes results into documents, each between two marks: `<!-- NAME -->` and `<!-- end of NAME -->`."""

from __future__ import annotations

from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"
BENCHMARKS, PERFORMANCE, SCALING = "benchmarks.md", "performance.md", "scaling.md"
IMAGES = "images"
RESULTS, GROWTH = "results", "growth"


def write(document: Path, name: str, parts: list[str]) -> None:
    """Put paragraphs where a document has a place of that name.

    Raises:
        ValueError: it has none.
    """
    begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    before, found_begin, rest = document.read_text().partition(begin)
    _, found_end, after = rest.partition(end)
    if not (found_begin and found_end):
        raise ValueError(f"{document.name} has no place for {name}: {begin} … {end}")
    document.write_text("\n\n".join([before + begin, *parts, end + after]))


def picture(paths: list[Path], name: str, text: str) -> list[str]:
    """Return the paragraph that shows a chart, where this was drawn."""
    return [f"![{text}]({IMAGES}/{path.name})" for path in paths if path.name == f"{name}.svg"]

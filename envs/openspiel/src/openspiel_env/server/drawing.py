"""Boards in text, drawn as SVG."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape

CELL = 32
"""Width and height of a cell in pixels."""

EMPTY = frozenset(".-+_~ ")
"""Characters that stand for an empty cell; on a board that has a "." none but it and the space do."""

_FEN = re.compile(r"^[\w+?~]+(?:/[\w+?~]+){4,}")
_ROW_NUMBER = re.compile(r"^\s*\d+(?=\D)|(?<=\s)\d+\s*$")
_WORD = re.compile(r"[a-z]{2,}", re.IGNORECASE)
_MARKS = {"x": "#c0392b", "o": "#2471a3"}


@dataclass(frozen=True)
class Board:
    """Rows of cells, equally many in each; a cell is a character or a number. `indents` shifts rows, in halves of a cell."""

    rows: list[list[str]]
    indents: list[int]


def board_in(text: str) -> Board | None:
    """Return the largest board of at least 2 by 2 cells that a text shows, or None where it shows none.

    Known are FEN, rows of characters without gaps, and rows of characters or numbers with gaps between, with row numbers
    beside them or not.
    """
    if fen := _FEN.match(text):
        rows = [_fen_row(row) for row in fen.group().split("/")]
        if len({len(row) for row in rows}) == 1:
            return Board(rows, [0] * len(rows))
    lines = ["", *text.splitlines(), ""]
    best: Board | None = None
    for start, end in _blocks(lines):
        if _may_go_on(lines[start - 1]) or _may_go_on(lines[end]):
            continue
        rows = [_cells(line) for line in lines[start:end]]
        if best is None or len(rows) * len(rows[0]) > len(best.rows) * len(best.rows[0]):
            indents = [len(line) - len(line.lstrip()) for line in lines[start:end]]
            best = Board(rows, [indent - min(indents) for indent in indents])
    return best


def _blocks(lines: list[str]) -> list[tuple[int, int]]:
    """Return where at least two lines with equally many cells follow each other: the first, and the one after the last."""
    blocks, start = [], 0
    for here in range(1, len(lines)):
        if len(_cells(lines[here])) != len(_cells(lines[start])):
            if here - start > 1 and _cells(lines[start]):
                blocks.append((start, here))
            start = here
    return blocks


def _may_go_on(line: str) -> bool:
    """Tell whether a line beside a block may be part of the same picture, which then is no plain board."""
    return (
        bool(line.strip())
        and not _WORD.search(line)
        and not _is_header(line.split() if " " in line.strip() else list(line.strip()))
    )


def svg(board: Board) -> str:
    """Return a board as an SVG image: empty cells blank, x and o as coloured discs, all else as its characters."""
    slant = any(board.indents) and max(board.indents) < 2 * len(board.rows)
    offsets = [indent * CELL // 2 if slant else 0 for indent in board.indents]
    width = max(offsets) + CELL * len(board.rows[0])
    height = CELL * len(board.rows)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'font-family="monospace" font-size="{CELL // 2}" text-anchor="middle" dominant-baseline="central">'
    ]
    empty = frozenset(". ") if any("." in row for row in board.rows) else EMPTY
    for down, (row, offset) in enumerate(zip(board.rows, offsets, strict=True)):
        parts += [_drawn("" if cell in empty else cell, offset + CELL * right, CELL * down) for right, cell in enumerate(row)]
    return "".join([*parts, "</svg>"])


def _drawn(cell: str, left: int, top: int) -> str:
    drawn = f'<rect x="{left}" y="{top}" width="{CELL}" height="{CELL}" fill="#f4f1e8" stroke="#8a8577"/>'
    middle = f'"{left + CELL // 2}"', f'"{top + CELL // 2}"'
    if not cell:
        return drawn
    if cell.lower() in _MARKS:
        drawn += f'<circle cx={middle[0]} cy={middle[1]} r="{CELL // 3}" fill="{_MARKS[cell.lower()]}"/>'
        return drawn + f'<text x={middle[0]} y={middle[1]} fill="#ffffff">{cell}</text>'
    return drawn + f"<text x={middle[0]} y={middle[1]}>{escape(cell)}</text>"


def _fen_row(row: str) -> list[str]:
    cells: list[str] = []
    for token in re.findall(r"\d+|\+?\D~?", row):
        cells += [" "] * int(token) if token.isdigit() else [token]
    return cells


def _cells(line: str) -> list[str]:
    """Return a line's cells; nothing where it is not a row of a board."""
    tokens = line.split()
    if len(tokens) == 1:
        cells = list(_ROW_NUMBER.sub("", tokens[0]))
    else:
        tokens = (
            _ROW_NUMBER.sub("", line).split() if _ROW_NUMBER.match(line) and not line.replace(" ", "").isdigit() else tokens
        )
        cells = list(tokens[0]) if len(tokens) == 1 else tokens
        if any(len(cell) > 1 and not cell.isdigit() for cell in cells):
            return []
    return [] if len(cells) < 2 or _is_header(cells) or any(cell in ":|=,()[]" for cell in cells) else cells


def _is_header(cells: list[str]) -> bool:
    """Tell whether these name columns: a, b, c, perhaps without i."""
    letters = "".join(cells).lower()
    return len(letters) > 2 and letters.isalpha() and letters[0] == "a" and list(letters) == sorted(set(letters))

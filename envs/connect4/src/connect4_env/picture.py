"""Boards for people to look at."""

from __future__ import annotations

from .board import COLUMNS, ROWS, Board

MARKS = {1: "X", -1: "O", 0: "."}
COLOURS = {1: "#d1495b", -1: "#edae49", 0: "#f4f4f4"}
CELL = 60
"""Width and height of a square in the SVG picture, in pixels."""


def text(board: Board, winner: int | None) -> str:
    """Return a board in text, X for the side that began and O for the other, its columns numbered below."""
    lines = [" ".join(MARKS[stone] for stone in row) for row in board.rows(player=1)]
    return "\n".join([*lines, " ".join(str(column) for column in range(COLUMNS)), caption(board, winner)])


def caption(board: Board, winner: int | None) -> str:
    """Return who is to move, or how the game ended."""
    if winner is None:
        return f"{MARKS[board.next_player]} to move"
    return f"{MARKS[winner]} has won" if winner else "a draw"


def svg(board: Board, winner: int | None) -> str:
    """Return a board as SVG: red for the side that began, yellow for the other, a line of four ringed."""
    width, height, middle = COLUMNS * CELL, ROWS * CELL, CELL // 2
    line = board.winning_squares()
    holes = [
        f'<circle cx="{column * CELL + middle}" cy="{row * CELL + middle}" r="{middle - 6}" fill="{COLOURS[stone]}"'
        + (' stroke="#222222" stroke-width="5"/>' if (row, column) in line else "/>")
        for row, stones in enumerate(board.rows(player=1))
        for column, stone in enumerate(stones)
    ]
    numbers = [
        f'<text x="{column * CELL + middle}" y="{height + 20}" text-anchor="middle">{column}</text>'
        for column in range(COLUMNS)
    ]
    told = f"Connect Four: {caption(board, winner)}"
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height + 30}" role="img" aria-label="{told}" '
            f'width="{width}" height="{height + 30}" font-family="sans-serif" font-size="16" fill="#808080">',
            f"<title>{told}</title>",
            f'<rect width="{width}" height="{height}" rx="10" fill="#30638e"/>',
            *holes,
            *numbers,
            "</svg>",
        ]
    )

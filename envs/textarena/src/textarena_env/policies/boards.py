"""Random moves of one's own pieces, read from the boards of games in which few squares in the right form are legal moves."""

from __future__ import annotations

import re
from collections.abc import Callable
from random import Random

_ROW = re.compile(r"^ *(\d+) *\|(.*)$", re.MULTILINE)
_OWN = re.compile(r"You are Player \d \((\w)\)|You are playing (\w)\w+ in a game of Breakthrough|Your pieces are '(\w)'")
_COLOUR = re.compile(r"You are playing (\w)\w+ in a game of Santorini")
_LETTERED_ROW = re.compile(r"^([A-E]) │(.*)│ [A-E]$", re.MULTILINE)
_WAYS = [(x, y) for x in (-1, 0, 1) for y in (-1, 0, 1) if (x, y) != (0, 0)]


def _stepping(reach: int, between: str) -> Callable[[str, str, Random], str | None]:
    """Moves from a square of one's own to one up to `reach` steps away in a straight line, such as [a2 a3]."""

    def move(prompt: str, heard: str, rng: Random) -> str | None:
        own = next((symbol for found in _OWN.findall(prompt) for symbol in found if symbol), None)
        pieces = [
            (column, int(number))
            for number, cells in _ROW.findall(heard)
            for column, cell in enumerate(cells.split("|") if "|" in cells else cells.split())
            if cell.strip() == own
        ]
        if not pieces:
            return None
        column, row = rng.choice(pieces)
        (x, y), steps = rng.choice(_WAYS), rng.randint(1, reach)
        return f"[{chr(97 + column)}{row}{between}{chr(97 + max(0, column + x * steps))}{max(1, row + y * steps)}]"

    return move


def _santorini(prompt: str, heard: str, rng: Random) -> str | None:
    """Moves a worker to a square beside its own, and builds beside that, such as [N1C1C2B2]."""
    colour = _COLOUR.search(prompt)
    rows = _LETTERED_ROW.findall(heard or prompt)[-5:]
    workers: list[tuple[str, int, int]] = [
        (worker, row, column)
        for row, (_, cells) in enumerate(rows)
        for column, cell in enumerate(cells.split("│"))
        for worker in re.findall(rf"{colour[1] if colour else '-'}[12]", cell)
    ]
    if not workers:
        return None
    worker, row, column = rng.choice(workers)
    squares = [(row, column)]
    for _ in range(2):
        y, x = rng.choice(_WAYS)
        squares.append((min(4, max(0, squares[-1][0] + y)), min(4, max(0, squares[-1][1] + x))))
    return "[" + worker + "".join(f"{'ABCDE'[y]}{x + 1}" for y, x in squares) + "]"


BOARDS: dict[str, Callable[[str, str, Random], str | None]] = {
    "Alquerque": _stepping(2, " "),
    "Breakthrough": _stepping(1, ""),
    "LinesOfAction": _stepping(7, ""),
    "SantoriniBaseFixed": _santorini,
}
"""By the game's name: a move from the prompt and what was just heard, or None where no piece of one's own is to be seen."""

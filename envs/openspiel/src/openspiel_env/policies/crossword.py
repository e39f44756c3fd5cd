"""A policy for `crossword`, whose moves are words and have no numbers."""

from __future__ import annotations

import re
from string import ascii_uppercase

from ..models import OpenSpielAction, OpenSpielObservation
from .policy import Policy

BLACK = "#"
CELL_CHARS = 3
_CLUE = re.compile(r"^([AD])(\d+)\. ", re.MULTILINE)


class RandomCrosswordPolicy(Policy):
    """Fills a random clue that is still open with random letters, keeping those that stand already."""

    name = "Random letters"

    def act(self, observation: OpenSpielObservation) -> OpenSpielAction:
        numbers, letters = _grid(observation.observation_string)
        slots = []
        for direction, number in _CLUE.findall(observation.observation_string):
            slot = _slot(letters, *numbers[number], down=direction == "D")
            if "." in slot:
                slots.append((direction + number, slot))
        clue, slot = self.rng.choice(slots)
        word = "".join(self.rng.choice(ascii_uppercase) if letter == "." else letter for letter in slot)
        return OpenSpielAction(action_struct={"clue_id": clue, "word": word})

    def select_action(self, observation: OpenSpielObservation) -> int:
        """Raise `NotImplementedError`: a word has no number; `act` is what plays here."""
        raise NotImplementedError("the moves of crossword have no numbers: use act()")


def _grid(text: str) -> tuple[dict[str, tuple[int, int]], list[str]]:
    """Return where each numbered cell is, as row and column, and the letters row by row: "." for open, "#" for black."""
    lines = text.split("Board:")[1].split("Clues:")[0].strip("\n").splitlines()
    numbers: dict[str, tuple[int, int]] = {}
    letters = []
    for row, (above, below) in enumerate(zip(lines[::2], lines[1::2], strict=False)):
        width = max(len(above), len(below))
        above, below = above.ljust(width), below.ljust(width)
        cells = range(0, width - 1, CELL_CHARS)
        letters.append("".join(BLACK if BLACK in below[at : at + CELL_CHARS] else below[at + 1] for at in cells))
        numbers |= {
            number: (row, at // CELL_CHARS) for at in cells if (number := above[at : at + CELL_CHARS].strip()).isdigit()
        }
    return numbers, letters


def _slot(letters: list[str], row: int, column: int, down: bool) -> str:
    line = "".join(each[column] for each in letters[row:]) if down else letters[row][column:]
    return line.split(BLACK)[0].rstrip()

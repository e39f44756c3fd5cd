"""The rules of Connect Four: where a stone lands, whose turn it is, who has won."""

from __future__ import annotations

from typing import NamedTuple

ROWS = 6
COLUMNS = 7

# A whole number is a set of squares: the square of a column and a height, both from 0, is bit 7 * column + height.
# Height 6 is above the board and always empty, so that no line runs from the top of a column into the next one.
_STRIDE = ROWS + 1
_BOTTOM = [1 << _STRIDE * column for column in range(COLUMNS)]
_TOP = [bottom << ROWS - 1 for bottom in _BOTTOM]
_COLUMN = [(1 << ROWS) - 1 << _STRIDE * column for column in range(COLUMNS)]
_SQUARES = [[1 << _STRIDE * column + ROWS - 1 - row for column in range(COLUMNS)] for row in range(ROWS)]
_DIRECTIONS = (1, _STRIDE, _STRIDE - 1, _STRIDE + 1)  # up, across, falling, rising


class Board(NamedTuple):
    """A position: the stones of the side whose turn it is, and those of the other. Moves make new boards."""

    own: int = 0
    other: int = 0

    @classmethod
    def seen(cls, rows: list[list[int]]) -> Board:
        """Return the board that the side to move sees as `rows`: 1 its own stones, -1 the other's, the top row first."""
        squares = [(stone, _SQUARES[row][column]) for row, line in enumerate(rows) for column, stone in enumerate(line)]
        return cls(sum(bit for stone, bit in squares if stone == 1), sum(bit for stone, bit in squares if stone == -1))

    @property
    def next_player(self) -> int:
        """Whose turn it is, or would be were the game not over: 1 the side that began, -1 the other."""
        return -1 if (self.own | self.other).bit_count() % 2 else 1

    @property
    def winner(self) -> int | None:
        """1 where the side that began has four in a line, -1 the other, 0 where the board is full; None: they play on."""
        if has_line(self.other):
            return -self.next_player
        return None if self.open_columns() else 0

    def open_columns(self) -> list[int]:
        """Return the columns with room for another stone, rising."""
        taken = self.own | self.other
        return [column for column in range(COLUMNS) if not taken & _TOP[column]]

    def after(self, column: int) -> Board:
        """Return the board after a stone in a column that has room: the lowest empty square of it is taken."""
        taken = self.own | self.other
        return Board(self.other, self.own | ((taken + _BOTTOM[column]) & ~taken & _COLUMN[column]))

    def rows(self, player: int) -> list[list[int]]:
        """Return the board as a player sees it: 6 rows of 7, the top one first, 1 its stones, -1 the other's, 0 empty."""
        mine, theirs = (self.own, self.other) if player == self.next_player else (self.other, self.own)
        return [[bool(mine & bit) - bool(theirs & bit) for bit in line] for line in _SQUARES]

    def winning_squares(self) -> set[tuple[int, int]]:
        """Return the (row, column) of every stone in a line of four, row 0 being the top; empty where there is none."""
        line = 0
        for step in _DIRECTIONS:
            starts = self.other & self.other >> step & self.other >> 2 * step & self.other >> 3 * step
            line |= starts | starts << step | starts << 2 * step | starts << 3 * step
        return {(row, column) for row in range(ROWS) for column in range(COLUMNS) if line & _SQUARES[row][column]}


def has_line(stones: int) -> bool:
    """Return whether four of these stones stand in a line: upright, across, or either way aslant."""
    for step in _DIRECTIONS:
        pairs = stones & stones >> step
        if pairs & pairs >> 2 * step:
            return True
    return False

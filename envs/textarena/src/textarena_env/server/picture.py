"""Pictures of a game: Wordle's tiles, and the board or the last words of any other game, as SVG."""

from __future__ import annotations

from html import escape

from ..models import TextArenaMessage

_COLOURS = {"G": "#538d4e", "Y": "#b59f3b", "X": "#787c7e"}
_TILE, _GAP = 48, 6
_CHAR, _LINE, _MARGIN = 8.4, 18, 12
_LAST_WORDS = 4


def text_of(heard: list[TextArenaMessage]) -> str:
    """Return the board that a player was last shown, or where there is none the last things it heard."""
    boards = [message.content for message in heard if message.category == "GAME_BOARD"]
    if boards:
        return boards[-1].strip("\n")
    return "\n".join(_spoken(message) for message in heard[-_LAST_WORDS:])


def text_of_wordle(guesses: list[tuple[str, list[str]]], rows: int, length: int) -> str:
    """Return Wordle's rows: a guess, and its marks below."""
    lines = [line for word, marks in guesses for line in (" ".join(word.upper()), " ".join(marks))]
    return "\n".join([*lines, *[" ".join("_" * length)] * (rows - len(guesses))])


def tiles(guesses: list[tuple[str, list[str]]], rows: int, length: int) -> str:
    """Return Wordle's rows as SVG, a coloured tile a letter."""
    side = _TILE + _GAP
    parts = []
    for row in range(rows):
        word, marks = guesses[row] if row < len(guesses) else (" " * length, [""] * length)
        for column, (letter, mark) in enumerate(zip(word, marks, strict=True)):
            x, y = _GAP + column * side, _GAP + row * side
            fill = _COLOURS.get(mark, "#ffffff")
            parts.append(f'<rect x="{x}" y="{y}" width="{_TILE}" height="{_TILE}" fill="{fill}" stroke="#878a8c"/>')
            if letter != " ":
                middle = f'x="{x + _TILE // 2}" y="{y + _TILE // 2 + 8}"'
                parts.append(f'<text {middle} text-anchor="middle" fill="#ffffff">{escape(letter.upper())}</text>')
    return _svg(length * side + _GAP, rows * side + _GAP, 'font-family="sans-serif" font-size="24"', parts)


def lettering(text: str) -> str:
    """Return text as SVG, in letters of one width."""
    lines = text.split("\n")
    width = int(2 * _MARGIN + _CHAR * max(map(len, lines)))
    parts = [
        f'<text x="{_MARGIN}" y="{_MARGIN + _LINE * (number + 1) - 5}" xml:space="preserve">{_printable(line)}</text>'
        for number, line in enumerate(lines)
    ]
    height = 2 * _MARGIN + _LINE * len(lines)
    return _svg(width, height, 'font-family="monospace" font-size="14"', parts)


def _spoken(message: TextArenaMessage) -> str:
    return message.content if message.sender_id < 0 else f"[Player {message.sender_id}] {message.content}"


def _printable(line: str) -> str:
    return escape("".join(char if char.isprintable() else " " for char in line))


def _svg(width: int, height: int, font: str, parts: list[str]) -> str:
    body = "".join(parts)
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" {font}>'
    return f'{head}<rect width="100%" height="100%" fill="#ffffff"/>{body}</svg>'

"""What a step of Wordle tells beside the game's reward: a mark for each letter, and shaped signals."""

from __future__ import annotations

from typing import Any

MARKS = {"G": "green", "Y": "yellow", "X": "grey"}


def is_wordle(game: Any) -> bool:
    """Whether one of TextArena's games is Wordle."""
    return type(game).__name__ == "WordleEnv"


def guesses(game: Any) -> list[tuple[str, list[str]]]:
    """Return the guesses that the game took, each with a mark a letter: G, Y or X."""
    return list(game.state.game_state["guess_history"])


def feedback(guess: tuple[str, list[str]] | None) -> list[dict[str, str]]:
    """Return each letter of a guess with its mark in a word; none for a guess that the game refused."""
    return [] if guess is None else [{"letter": letter, "mark": MARKS[mark]} for letter, mark in zip(*guess, strict=True)]


def signals(guess: tuple[str, list[str]] | None, tried: list[str]) -> dict[str, float]:
    """Return the shaped signals of a step, each from 0 to 1.

    Args:
        guess: the guess with its marks; None where the game refused it.
        tried: every word said so far in brackets, refused ones too, this step's last.

    Returns:
        `wordle.greens` and `wordle.yellows`, shares of the letters; `wordle.repetitions`, the share of the words tried
        that had not been tried before (1: none was repeated); `wordle.correct`, 1 for the word itself.
    """
    marks = [] if guess is None else guess[1]
    length = max(1, len(marks))
    greens, yellows = marks.count("G") / length, marks.count("Y") / length
    return {
        "wordle.greens": greens,
        "wordle.yellows": yellows,
        "wordle.repetitions": len(set(tried)) / len(tried) if tried else 0.0,
        "wordle.correct": float(greens == 1.0),
    }

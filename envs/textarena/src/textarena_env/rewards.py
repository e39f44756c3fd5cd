"""Reading of Wordle's words, for reward functions and players: no server is needed."""

from __future__ import annotations

import re
from collections.abc import Sequence

from .models import TextArenaMessage, TextArenaObservation

_BRACKETED = re.compile(r"\[\s*([A-Za-z]+)\s*\]")
_LETTERS = re.compile(r"[A-Za-z]+")
_FEEDBACK = re.compile(r"Feedback:\s*\n\s*([A-Z](?: [A-Z])*)\s*\n\s*([GYX](?: [GYX])*)")


def extract_guess(text: str, length: int = 5) -> str:
    """Return the guess in a model's answer, in brackets and lower case, ready to be said.

    The last word in brackets counts, else the last word of the right length, else the text's letters cut to it.
    """
    if bracketed := _BRACKETED.findall(text):
        return f"[{bracketed[-1].lower()}]"
    words = _LETTERS.findall(text)
    fitting = [word for word in words if len(word) == length]
    return f"[{(fitting[-1] if fitting else ''.join(words)[:length]).lower()}]"


def extract_wordle_feedback(observation: TextArenaObservation) -> str:
    """Return the feedback that an observation brings, letters on one line and marks on the next; empty where there is none."""
    told = last_feedback(observation.messages)
    return "" if told is None else f"{' '.join(told[0].upper())}\n{' '.join(told[1])}"


def extract_feedback_counts(feedback: str) -> tuple[int, int]:
    """Return how many letters of a feedback are green and how many yellow."""
    marks = feedback.strip().split("\n")[-1].split()
    return marks.count("G"), marks.count("Y")


def last_feedback(messages: Sequence[TextArenaMessage]) -> tuple[str, str] | None:
    """Return the last guess in these messages that was given feedback, in lower case, and its marks; None: there is none.

    A word that was guessed ends the game without feedback.
    """
    found = [match for message in messages if message.sender_id < 0 for match in _FEEDBACK.findall(message.content)]
    if not found:
        return None
    letters, marks = found[-1]
    return letters.replace(" ", "").lower(), marks.replace(" ", "")

"""A solver of Wordle: the baseline player."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache

from ..models import TextArenaObservation
from ..rewards import last_feedback
from ..vocabulary import common_words, everyday_words, nouns
from .policy import Policy

_LENGTH = re.compile(r"(\d+)-letter word")
_OWN_GUESSES = 60
"""With at most so many words left, also words that cannot be the secret are weighed as guesses."""


class WordlePolicy(Policy):
    """Guesses the word that splits those still possible into the most groups.

    Args:
        seed: nothing is drawn at random; taken as other policies take it.
        words: words that may be the secret, likelier ones first. None: the nouns among everyday words, then further nouns,
            then other common words, each group only where those before it leave no word.

    One player plays one episode after another: an observation that brings the prompt begins a new one.
    """

    name = "Solver"

    def __init__(self, seed: int | str | None = None, words: Iterable[str] | None = None) -> None:
        super().__init__(seed)
        self._groups = _known_words() if words is None else [list(words)]
        self._possible: list[list[str]] = []
        self._said: set[str] = set()

    def select_action(self, observation: TextArenaObservation) -> str:
        if not self._possible or any(message.category == "PROMPT" for message in observation.messages):
            found = _LENGTH.search(observation.prompt)
            length = int(found[1]) if found else 5
            self._possible = [[word for word in group if len(word) == length] for group in self._groups]
            self._said = set()
        if (told := last_feedback(observation.messages)) is not None:
            self._possible = [[word for word in group if marks(told[0], word) == told[1]] for group in self._possible]
        guess = self._guess()
        self._said.add(guess)
        return f"[{guess}]"

    def _guess(self) -> str:
        groups = [[word for word in group if word not in self._said] for group in self._possible]
        left = next((group for group in groups if group), [])
        if not left:
            return next(word for group in self._groups for word in group if word not in self._said)
        if len(left) <= 2:
            return left[0]
        own = [word for group in groups for word in group] if len(left) > _OWN_GUESSES else _candidates(self._groups, left)
        worth = _worth_of_letters(left)
        tried = sorted(own, key=lambda word: -sum(worth[letter] for letter in set(word)))[:_OWN_GUESSES]
        possible = set(left)
        fresh = [word for word in tried if word not in self._said]
        return max(fresh, key=lambda word: (len({marks(word, other) for other in left}), word in possible, word))


@lru_cache(maxsize=100_000)
def marks(guess: str, secret: str) -> str:
    """Return Wordle's marks of a guess: G in its place, Y elsewhere in the word, X not in it, each letter counted once."""
    greens = [a == b for a, b in zip(guess, secret, strict=True)]
    others = Counter(letter for letter, green in zip(secret, greens, strict=True) if not green)
    found = []
    for letter, green in zip(guess, greens, strict=True):
        elsewhere = not green and others[letter] > 0
        others[letter] -= elsewhere
        found.append("G" if green else "Y" if elsewhere else "X")
    return "".join(found)


def _known_words() -> list[list[str]]:
    everyday, noun, common = everyday_words(), nouns(), common_words()
    first = [word for word in everyday if word in noun]
    second = sorted(noun - set(first))
    return [first, second, [word for word in common if word not in noun]]


def _candidates(groups: list[list[str]], left: list[str]) -> list[str]:
    length = len(left[0])
    return [word for group in groups for word in group if len(word) == length]


def _worth_of_letters(left: list[str]) -> Counter[str]:
    """Return how evenly each letter divides the words left: most where half of them have it."""
    having = Counter(letter for word in left for letter in set(word))
    return Counter({letter: min(count, len(left) - count) for letter, count in having.items()})

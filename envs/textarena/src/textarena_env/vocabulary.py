"""Everyday English words and nouns, from packages that bring them along: no download, no network."""

from __future__ import annotations

from functools import cache

from mnemonic import Mnemonic
from wonderwords import RandomWord


@cache
def everyday_words() -> tuple[str, ...]:
    """Return 2,047 everyday words in alphabetical order: the English list of BIP-39, less one that is a name."""
    return tuple(sorted(word for word in Mnemonic("english").wordlist if word != "satoshi"))


@cache
def nouns() -> frozenset[str]:
    """Return some 6,700 nouns in lower case: those of the package wonderwords that are one word without marks."""
    return frozenset(_plain("noun"))


@cache
def common_words() -> tuple[str, ...]:
    """Return some 9,000 words in alphabetical order: everyday ones, and the nouns, verbs and adjectives of wonderwords."""
    return tuple(sorted({*everyday_words(), *nouns(), *_plain("verb"), *_plain("adjective")}))


def _plain(category: str) -> list[str]:
    found = RandomWord().filter(include_categories=[category])
    return [word for word in found if word.isascii() and word.isalpha() and word.islower()]

"""What TextArena's word games ask of NLTK: word lists and parts of speech.

Where NLTK's own data is installed it is used, unless TEXTARENA_WORD_DATA=packaged. Where it is not, words come with packages:
everyday words and nouns from `vocabulary`, and the spelling dictionaries that TextArena brings along. Nothing is ever
downloaded for an episode.
"""

from __future__ import annotations

import importlib.resources
import os
from functools import cache
from types import ModuleType
from typing import Any

from ..vocabulary import everyday_words, nouns
from .chance import in_episode

VARIABLE = "TEXTARENA_WORD_DATA"
INSTALLED, PACKAGED = "installed", "packaged"
"""What the variable may hold. installed: NLTK's data where it is installed; packaged: none of it, wherever the server runs."""

WORDS = "corpora/words"
TAGGER = "taggers/averaged_perceptron_tagger_eng"


@cache
def has_nltk(resource: str) -> bool:
    """Whether a resource of NLTK's data is installed, packed or not, and is to be used."""
    if os.environ.get(VARIABLE) == PACKAGED:
        return False
    import nltk.data

    for name in (resource, f"{resource}.zip"):
        try:
            nltk.data.find(name)
        except LookupError:
            continue
        return True
    return False


def source() -> str:
    """Return "nltk", "packaged", or "nltk words" or "nltk tagger" where only that is NLTK's."""
    words, tagger = has_nltk(WORDS), has_nltk(TAGGER)
    if words == tagger:
        return "nltk" if words else PACKAGED
    return "nltk words" if words else "nltk tagger"


def check_source() -> None:
    """Check the variable TEXTARENA_WORD_DATA.

    Raises:
        ValueError: it holds what it cannot.
    """
    if (value := os.environ.get(VARIABLE)) and value not in (INSTALLED, PACKAGED):
        raise ValueError(f"unknown {VARIABLE} {value!r:.60}: choose {INSTALLED}, {PACKAGED}")


@cache
def dictionary_words() -> tuple[str, ...]:
    """Return the everyday words and the base forms of TextArena's American and British dictionaries, sorted.

    Names, abbreviations and words with marks are left out: what does not begin in lower case or holds more than letters.
    """
    found = set(everyday_words())
    folder = importlib.resources.files("textarena.envs.utils.data")
    for name in ("en_US.dic", "en_GB.dic"):
        lines = folder.joinpath(name).read_text(encoding="utf-8").splitlines()[1:]
        entries = (line.split("/")[0].strip() for line in lines)
        found.update(entry for entry in entries if len(entry) > 1 and entry.isascii() and entry.isalpha() and entry.islower())
    return tuple(sorted(found))


class _Words:
    """As `nltk.corpus.words`: the lists `en` and `en-basic`, both if none is named."""

    def words(self, fileids: Any = None) -> list[str]:
        if has_nltk(WORDS):
            from nltk.corpus import words

            return list(words.words(fileids))
        names = ["en", "en-basic"] if fileids is None else [fileids] if isinstance(fileids, str) else list(fileids)
        lists = {"en": dictionary_words, "en-basic": everyday_words}
        return [word for name in names for word in lists[name]()]


def pos_tag(tokens: list[str], *args: Any, **kwargs: Any) -> list[tuple[str, str]]:
    """As `nltk.pos_tag`; without its data a known noun is NN and every other word FW."""
    if has_nltk(TAGGER):
        import nltk

        return list(nltk.pos_tag(tokens, *args, **kwargs))
    known = nouns()
    return [(token, "NN" if token in known else "FW") for token in tokens]


def _download(*args: Any, **kwargs: Any) -> bool:
    """As `nltk.download`, but within an episode and while a game is loaded it downloads nothing."""
    if in_episode():
        return False
    import nltk

    return bool(nltk.download(*args, **kwargs))


class _Stand(ModuleType):
    """A module with some attributes of its own; the others are those of the module it stands for."""

    def __init__(self, name: str, own: dict[str, Any]) -> None:
        super().__init__(name)
        self.__dict__.update(own)

    def __getattr__(self, name: str) -> Any:
        return getattr(importlib.import_module(self.__name__), name)


CORPUS = _Stand("nltk.corpus", {"words": _Words()})
NLTK = _Stand("nltk", {"corpus": CORPUS, "pos_tag": pos_tag, "download": _download})

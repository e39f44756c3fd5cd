"""What an environment is called, wherever it has a name."""

from __future__ import annotations

import keyword
import re
from typing import NamedTuple

from ..errors import UsageError

_SHAPE = re.compile(r"[A-Za-z][A-Za-z0-9]*([ ._-]+[A-Za-z0-9]+)*")
_WORD = re.compile(r"[A-Z]+(?![a-z])[0-9]*|[A-Z]?[a-z]+[0-9]*|[0-9]+")
_AROUND = {"env", "environment", "openenv"}
LONGEST = 40


class EnvironmentName(NamedTuple):
    """The names of one environment.

    Attributes:
        slug: `my_game`: the folder, the entry point, the server's name.
        package: `my_game_env`: what is imported.
        distribution: `openenv-my-game-env`: what is installed.
        class_prefix: `MyGame`: what the names of classes begin with.
        title: `My game`: for people.
    """

    slug: str
    package: str
    distribution: str
    class_prefix: str
    title: str


def environment_name(given: str) -> EnvironmentName:
    """Return the names made from what somebody calls an environment: `my_game`, `my-game`, `MyGame`, `my game`, `my_game_env`.

    Raises:
        UsageError: it is no name: it begins with no letter, has other characters than ASCII letters, digits and `-_.`, is
            longer than 40 characters, or is a word of Python or of this package alone.
    """
    called = given.strip()
    if not _SHAPE.fullmatch(called):
        raise UsageError(f"{given!r:.60} is no name: it needs a letter, then letters, digits, _ or -, such as my_game")
    if len(called) > LONGEST:
        raise UsageError(f"{given!r:.60} is too long: a name has {LONGEST} characters at most")
    words = [word.lower() for word in _WORD.findall(called)]
    while words and words[-1] in _AROUND:
        words.pop()
    while words and words[0] == "openenv":
        words.pop(0)
    slug = "_".join(words)
    if not slug or keyword.iskeyword(slug) or not slug[0].isalpha():
        raise UsageError(f"{given!r} is a reserved word: choose a name that says what the environment is, such as my_game")
    return EnvironmentName(
        slug=slug,
        package=f"{slug}_env",
        distribution=f"openenv-{slug.replace('_', '-')}-env",
        class_prefix="".join(word.capitalize() for word in words),
        title=" ".join(words).capitalize(),
    )

"""Options that give names values, K=V."""

from __future__ import annotations

import os
from collections.abc import Sequence

from ..errors import UsageError


def assignments(option: str, given: Sequence[str]) -> dict[str, str]:
    """Return names and values of `K=V`; `K` alone takes the value of this process's environment variable of that name.

    Args:
        option: what the words were given to, for the message.
        given: the words.

    Raises:
        UsageError: a word has no name, or names a variable that is not set. The message holds no value.
    """
    found = {}
    for number, word in enumerate(given, 1):
        name, equals, value = word.partition("=")
        if not name.isidentifier():
            raise UsageError(f"{option} number {number} is no NAME=VALUE: a name has letters, digits and _")
        if not equals:
            if name not in os.environ:
                raise UsageError(f"{option} {name} has no value, and no variable {name} is set here: give {name}=VALUE")
            value = os.environ[name]
        found[name] = value
    return found

"""Values as data that is only data: no class of the agent's, and so no method of it, gets out of its process."""

from __future__ import annotations

import operator
from typing import Any

DEEPEST = 50
MOST_DIGITS = 4000


class NotPlain(Exception):
    """A value is not made of None, truth values, numbers, text, lists, tuples, sets and dicts alone."""


def plain(value: Any, depth: int = 0) -> Any:
    """Return a value as JSON: scalars as they are, a list or tuple as `{"list": …}`, `{"set": …}`, a dict as `{"dict": pairs}`.

    Raises:
        NotPlain: it holds something else, is nested too deeply, or a number is too long for text.
    """
    if depth > DEEPEST:
        raise NotPlain(f"nested more than {DEEPEST} deep")
    kind = type(value)
    if value is None or kind in (bool, float, str):
        return value
    if kind is int:
        if value.bit_length() > MOST_DIGITS * 3:
            raise NotPlain(f"a number of more than {MOST_DIGITS} digits")
        return value
    if kind is dict:
        return {"dict": [[plain(key, depth + 1), plain(held, depth + 1)] for key, held in value.items()]}
    if kind in (list, tuple):
        return {"list": [plain(held, depth + 1) for held in value]}
    if kind in (set, frozenset):
        return {"set": [plain(held, depth + 1) for held in value]}
    return _narrowed(value, kind, depth)


def _narrowed(value: Any, kind: type, depth: int) -> Any:
    """What a subclass of a plain kind, or another library's number, holds."""
    if issubclass(kind, str):
        return str.__str__(value)
    if issubclass(kind, float):
        return float.__float__(value)
    if issubclass(kind, dict):
        return plain(dict(dict.items(value)), depth)
    if issubclass(kind, list | tuple):
        return plain(list(value), depth)
    try:
        return plain(int(operator.index(value)), depth)
    except TypeError:
        raise NotPlain(f"a {kind.__name__} is no plain data") from None

"""Whether a value, written as `cell.plain` writes it, is the expected one: on data that has no methods of an agent's.

An agent's answer cannot hold this up. The time grows as sorting does with what is expected; no number of an agent's is
hashed, which it could choose so that all hashes are the same; and nothing is looked at more deeply than values may be.
"""

from __future__ import annotations

import math
from typing import Any

from .cell.plain import DEEPEST, plain


def equal(expected: Any, found: Any, tolerance: float = 0.0, *, unordered: bool = False) -> bool:
    """Return whether a found value is the expected one.

    Numbers are equal by value, truth values only to truth values, lists also to tuples, sets to sets; numbers as keys also
    to their text, which is what JSON makes of them. NaN equals NaN. A malformed value equals nothing.

    Args:
        expected: data, as a task has it.
        found: a value as `cell.plain.plain` writes it.
        tolerance: how far a number may be off, absolutely or relatively. Members without order are paired by size.
        unordered: the value is a list or a set, whichever, and its members may come in any order; theirs counts.

    Raises:
        NotPlain: what is expected is not plain data.
    """
    wanted = plain(expected)
    if unordered and (members := _members(wanted, "list", "set")) is not None:
        return _equal_in_any_order(members, _members(found, "list", "set"), tolerance)
    return _equal(wanted, found, tolerance)


def _equal(expected: Any, found: Any, tolerance: float) -> bool:
    if isinstance(expected, dict):
        (form, wanted), *_ = expected.items()
        held = _members(found, form)
        if form == "set":
            return _equal_in_any_order(wanted, held, tolerance)
        if held is None or len(held) != len(wanted):
            return False
        if form == "dict":
            return _equal_dicts(wanted, held, tolerance)
        return all(_equal(one, other, tolerance) for one, other in zip(wanted, held, strict=True))
    if isinstance(expected, bool) or isinstance(found, bool):
        return expected is found
    if isinstance(expected, int | float) and isinstance(found, int | float):
        return _equal_numbers(expected, found, tolerance)
    return type(expected) is type(found) and bool(expected == found)


def _members(value: Any, *forms: str) -> list[Any] | None:
    """What a value of one of these forms holds; None for one of another."""
    if not isinstance(value, dict) or len(value) != 1:
        return None
    (form, held), *_ = value.items()
    return held if form in forms and isinstance(held, list) else None


def _equal_numbers(expected: float, found: float, tolerance: float) -> bool:
    if expected == found or (expected != expected and found != found):
        return True
    try:
        return tolerance > 0 and math.isclose(expected, found, rel_tol=tolerance, abs_tol=tolerance)
    except OverflowError:
        return False


def _equal_in_any_order(expected: list[Any], found: list[Any] | None, tolerance: float) -> bool:
    if found is None or len(found) != len(expected):
        return False
    pairs = zip(sorted(expected, key=_rank), sorted(found, key=_rank), strict=True)
    return all(_equal(one, other, tolerance) for one, other in pairs)


def _equal_dicts(expected: list[Any], pairs: list[Any], tolerance: float) -> bool:
    if any(not isinstance(pair, list) or len(pair) != 2 or isinstance(pair[0], list | dict) for pair in (*expected, *pairs)):
        return False
    wanted = {_key(key): value for key, value in expected}
    found = {_key(key): value for key, value in pairs}
    return wanted.keys() == found.keys() and all(_equal(value, found[key], tolerance) for key, value in wanted.items())


def _key(key: Any) -> Any:
    return str(key) if isinstance(key, int | float) and not isinstance(key, bool) else key


def _rank(value: Any, depth: int = 0) -> tuple[Any, ...]:
    """Where a value stands among all others; equal ones stand together, and what is malformed or too deep comes last."""
    if value is None:
        return (0,)
    if isinstance(value, bool):
        return (1, value)
    if isinstance(value, int | float):
        return (2, value == value, value if value == value else 0)
    if isinstance(value, str):
        return (3, value)
    if depth > DEEPEST:
        return (7,)
    if (members := _members(value, "list")) is not None:
        return (4, [_rank(each, depth + 1) for each in members])
    if (members := _members(value, "set")) is not None:
        return (5, sorted(_rank(each, depth + 1) for each in members))
    if (members := _members(value, "dict")) is not None:
        pairs = [pair for pair in members if isinstance(pair, list) and len(pair) == 2]
        return (6, sorted((_rank(_key(key), depth + 1), _rank(held, depth + 1)) for key, held in pairs))
    return (7,)

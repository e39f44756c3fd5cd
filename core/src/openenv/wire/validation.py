"""Plain data into models, and what to say when it does not fit."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Generic, TypeVar

import pydantic_core
from pydantic import TypeAdapter, ValidationError

from ..errors import InvalidActionError

ModelT = TypeVar("ModelT")

MOST_TOLD = 100
"""A refusal tells of so many places that do not fit: there may be as many as the data has bytes."""

LONGEST_TOLD_BYTES = 64 * 1024
"""A refusal that would be longer leaves out what stood in those places."""


class Reader(Generic[ModelT]):
    """Reads values of one type from what a JSON message held; made once a type.

    Args:
        model: a pydantic model class, or any type that pydantic validates.
        null_is_nan: read `null` as NaN where a float must stand: version 1 carries non-finite floats as `null`.
    """

    def __init__(self, model: type[ModelT], *, null_is_nan: bool = False) -> None:
        self.model = model
        self._null_is_nan = null_is_nan
        self._validator = TypeAdapter(model).validator
        self._validate = self._validator.validate_python

    def read(self, data: Any) -> ModelT:
        """Return the value.

        Raises:
            InvalidActionError: it does not fit; the message names each place.
        """
        try:
            return self._validate(data, by_alias=True, by_name=True)  # type: ignore[no-any-return]
        except ValidationError as error:
            return self._second_look(data, error)

    def _second_look(self, data: Any, error: ValidationError) -> ModelT:
        """Strict models take from JSON what they refuse from Python (a date as text, a list for a tuple)."""
        if self._null_is_nan and _put_nan(data, error):
            return self.read(data)
        try:
            return self._validator.validate_json(pydantic_core.to_json(data), by_alias=True, by_name=True)  # type: ignore[no-any-return]
        except ValidationError as as_json:
            error = as_json
        except ValueError:
            pass  # not from JSON at all, so the first error tells more
        raise refusal(error, getattr(self.model, "__name__", str(self.model)))


def refusal(error: ValidationError, what: str) -> InvalidActionError:
    """Return the error for data that does not fit its model."""
    count = error.error_count()
    errors: list[dict[str, Any]] = [dict(e) for e in error.errors(include_url=False, include_context=False)[:MOST_TOLD]]
    told = "; ".join(": ".join(filter(None, (".".join(map(str, e["loc"])), e["msg"]))) for e in errors[:5])
    more = f" (and {count - 5} more)" if count > 5 else ""
    if not _is_short(errors):
        errors = [{name: value for name, value in e.items() if name != "input"} for e in errors]
    return InvalidActionError(f"{what} does not fit: {told}{more}", errors=errors)


def _is_short(errors: list[dict[str, Any]]) -> bool:
    try:
        return len(pydantic_core.to_json(errors, serialize_unknown=True)) <= LONGEST_TOLD_BYTES
    except ValueError:  # text that JSON cannot carry
        return False


def _put_nan(data: Any, error: ValidationError) -> bool:
    """Write NaN into `data` wherever a float was missing; return whether anything changed."""
    changed = False
    for entry in error.errors(include_url=False, include_context=False):
        if entry["type"] == "float_type" and entry["input"] is None:
            changed = _put(data, entry["loc"]) or changed
    return changed


def _put(data: Any, path: tuple[int | str, ...]) -> bool:
    """Follow `path` as far as it names places of `data`; branches of a union stand in it as names that do not."""
    here, last = data, None
    for key in path:
        holds = (isinstance(here, Mapping) and key in here) or (isinstance(here, list) and isinstance(key, int))
        if holds:
            last, here = (here, key), here[key]
    if last is None or here is not None:
        return False
    container, key = last
    container[key] = math.nan
    return True

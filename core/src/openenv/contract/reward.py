"""Rewards: the type that observations give them, and what an environment says of its own."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from ..errors import UsageError

Range = tuple[float | None, float | None]


class _FloatsFirst:
    """Lets a union that holds `float` look for floats before all else; what it accepts, and as what, stays the same.

    Rewards are floats nearly always, and to see first that one is no bool and no int takes longer than all else that is read
    of a small observation. Only floats themselves take this way: an int would come out of it as a float.
    """

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        schema: Any = handler(source)
        union = schema["schema"]
        a_float = core_schema.chain_schema([core_schema.is_instance_schema(float), core_schema.float_schema()])
        return {**schema, "schema": {**union, "choices": [(a_float, "float"), *union["choices"]]}}

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        whole: Any = schema
        union = whole["schema"]
        return handler({**whole, "schema": {**union, "choices": union["choices"][1:]}})


Reward = Annotated[bool | int | float | None, _FloatsFirst()]
"""The type of an observation's `reward`."""


def checked_range(owner: str, given: Any) -> Range | None:
    """Return a declared `REWARD_RANGE`, infinite bounds as None. Raises `UsageError` where it is none."""
    if given is None:
        return None
    low, high = (_bound(bound) for bound in given) if isinstance(given, tuple | list) and len(given) == 2 else (math.nan,) * 2
    if any(bound is not None and math.isnan(bound) for bound in (low, high)) or (None not in (low, high) and low > high):
        raise UsageError(f"{owner}.REWARD_RANGE must be (least, greatest), None for a side without bound, not {given!r}")
    return low, high


def _bound(bound: Any) -> Any:
    if bound is None:
        return None
    if isinstance(bound, bool) or not isinstance(bound, int | float):
        return math.nan
    return None if math.isinf(bound) else float(bound)


def checked_kind(owner: str, given: Any) -> Literal["delta", "cumulative"] | None:
    """Return a declared `REWARD_KIND`. Raises `UsageError` where it is none."""
    if given not in ("delta", "cumulative", None):
        raise UsageError(f"{owner}.REWARD_KIND must be 'delta' or 'cumulative', not {given!r}")
    kind: Literal["delta", "cumulative"] | None = given
    return kind

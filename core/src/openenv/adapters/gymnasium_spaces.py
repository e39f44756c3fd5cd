"""Gymnasium's spaces as typed fields, and values on their way between the two."""

from __future__ import annotations

import keyword
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from annotated_types import Ge, Le
from gymnasium import Space, spaces
from pydantic import BaseModel, ConfigDict, Strict, StringConstraints, create_model

from ..contract.arrays import Array
from ..contract.models import Action, Observation
from ..errors import UsageError

ACTION, OBSERVED = "action", "observed"
"""The one field of an action, and that of an observation whose space is no `Dict` of fields."""

MOST_BOUNDS = 8
"""Values of an array that are each bounded by themselves; of more only the widest bounds are in the type."""


class Part(BaseModel):
    """What a `Dict` space holds inside another space; unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True)


@dataclass(frozen=True)
class TypedSpace:
    """A space as a field.

    Attributes:
        annotation: the field's type, such as `Annotated[np.ndarray, Array("float32", 4)]`.
        to_gymnasium: makes what the space contains of the field's value.
        from_gymnasium: makes the field's value of what the space contains.
    """

    annotation: Any
    to_gymnasium: Callable[[Any], Any]
    from_gymnasium: Callable[[Any], Any]


def typed(space: Space[Any], name: str, *, bounded: bool = False) -> TypedSpace:
    """Return a space as a field; `name` begins the names of the models that it needs.

    Args:
        space: the space.
        name: see above.
        bounded: the type holds the bounds of arrays and the characters of texts too, as it should for actions. What an
            environment shows may stray from what it declares.

    Raises:
        UsageError: there is no type for this space (`Graph`, `Sequence`, `OneOf`, …), or a key of a `Dict` can name no field.
    """
    if isinstance(space, spaces.Discrete):
        first, last = int(space.start), int(space.start + space.n - 1)
        return TypedSpace(Annotated[int, Strict(), Ge(first), Le(last)], space.dtype.type, int)
    if isinstance(space, spaces.Box | spaces.MultiDiscrete | spaces.MultiBinary):
        array = _array_of(np.asarray, space.dtype, space.shape)
        seen = _array_of(np.array, space.dtype, space.shape)  # a copy: many environments show one array again and again
        bounds = _bounds(space) if bounded else {}
        if not space.shape:
            return TypedSpace(_bounded(_scalar(space), bounds), array, _item)
        return TypedSpace(Annotated[np.ndarray, Array(space.dtype.name, *space.shape, **bounds)], array, seen)
    if isinstance(space, spaces.Text):
        return TypedSpace(_text(space, bounded), str, str)
    if isinstance(space, spaces.Tuple):
        parts = [typed(inner, f"{name}{number}", bounded=bounded) for number, inner in enumerate(space.spaces)]
        return TypedSpace(
            tuple[tuple(part.annotation for part in parts)],  # type: ignore[misc]
            lambda value: tuple(part.to_gymnasium(one) for part, one in zip(parts, value, strict=True)),
            lambda value: tuple(part.from_gymnasium(one) for part, one in zip(parts, value, strict=True)),
        )
    if isinstance(space, spaces.Dict):
        return _model_of(space, name, bounded)
    raise UsageError(f"{type(space).__name__} is a space without a typed field: wrap the environment so that it has another")


def typed_observation(space: Space[Any], name: str) -> dict[str, TypedSpace] | TypedSpace:
    """Return an observation's space: by field where it is a `Dict` whose keys do not clash with those of `Observation`."""
    if isinstance(space, spaces.Dict) and all(_names_field(key, Observation) for key in space.spaces):
        return {key: typed(inner, name + _capital(key)) for key, inner in space.spaces.items()}
    return typed(space, f"{name}{_capital(OBSERVED)}")


def models_of(env_action: Space[Any], env_observation: Space[Any], name: str) -> tuple[type[Action], type[Observation]]:
    """Return the models `<name>Action` and `<name>Observation` of an environment with these spaces. Raises as `typed`."""
    observed = typed_observation(env_observation, name)
    fields = observed if isinstance(observed, dict) else {OBSERVED: observed}
    action: Any = {ACTION: (typed(env_action, f"{name}{_capital(ACTION)}Part", bounded=True).annotation, ...)}
    return (
        create_model(f"{name}Action", __base__=Action, __doc__="What to do.", **action),
        create_model(
            f"{name}Observation",
            __base__=Observation,
            __doc__="What is seen.",
            **{key: (field.annotation, ...) for key, field in fields.items()},  # type: ignore[call-overload]
        ),
    )


def character_class(characters: Iterable[str]) -> str:
    """Return characters as they stand between the brackets of a regular expression, neighbours as a range: `0-9A-Za-z`."""
    runs: list[list[str]] = []
    for character in sorted(characters):
        if runs and ord(character) == ord(runs[-1][-1]) + 1:
            runs[-1].append(character)
        else:
            runs.append([character])
    return "".join(f"{re.escape(run[0])}-{re.escape(run[-1])}" if len(run) > 2 else re.escape("".join(run)) for run in runs)


def _model_of(space: spaces.Dict, name: str, bounded: bool) -> TypedSpace:
    wrong = [key for key in space.spaces if not _names_field(key, Part)]
    if wrong:
        raise UsageError(f"{wrong[0]!r} is a key of a Dict space and can name no field; wrap the environment to rename it")
    fields = {key: typed(inner, name + _capital(key), bounded=bounded) for key, inner in space.spaces.items()}
    annotations: Any = {key: (field.annotation, ...) for key, field in fields.items()}
    model: Any = create_model(name, __base__=Part, __doc__="Part of a space.", **annotations)
    return TypedSpace(
        model,
        lambda value: {key: field.to_gymnasium(getattr(value, key)) for key, field in fields.items()},
        lambda value: {key: field.from_gymnasium(value[key]) for key, field in fields.items()},
    )


def _bounds(space: spaces.Box | spaces.MultiDiscrete | spaces.MultiBinary) -> dict[str, Any]:
    """Return the bounds of a space's values, as `Array` takes them; nothing for a side without any."""
    if isinstance(space, spaces.MultiBinary):
        return {"ge": 0, "le": 1}
    if isinstance(space, spaces.MultiDiscrete):
        return {"ge": _bound(space.start, min), "le": _bound(space.start + space.nvec - 1, max)}
    found = {"ge": _bound(space.low, min), "le": _bound(space.high, max)}
    return {side: bound for side, bound in found.items() if not (isinstance(bound, float) and np.isinf(bound))}


def _bound(limits: np.ndarray[Any, Any], widest: Callable[[list[Any]], Any]) -> Any:
    """Return one number where that bounds all values, else nested lists; the widest one where those would be long."""
    written = _written(limits)
    flat = [_written(limit) for limit in limits.flat]
    return written if len(set(flat)) > 1 and len(flat) <= MOST_BOUNDS else widest(flat)


def _written(limits: Any) -> Any:
    """Return numbers as Python's, as short as tells them apart in their dtype: 0.1, not 0.10000000149011612."""
    if isinstance(limits, np.ndarray) and limits.shape:
        return [_written(limit) for limit in limits]
    return float(str(limits)) if np.asarray(limits).dtype.kind == "f" else int(limits)


def _bounded(scalar: type, bounds: dict[str, Any]) -> Any:
    found = [{"ge": Ge, "le": Le}[side](bound) for side, bound in bounds.items()]
    return Annotated[scalar, *found] if found and scalar is not bool else scalar


def _text(space: spaces.Text, bounded: bool) -> Any:
    least, most = space.min_length, space.max_length
    pattern = f"^[{character_class(space.character_set)}]{{{least},{most}}}$" if bounded else None
    return Annotated[str, StringConstraints(min_length=least, max_length=most, pattern=pattern)]


def _scalar(space: Space[Any]) -> Any:
    return {"f": float, "b": bool}.get(np.dtype(space.dtype).kind, int)


def _item(value: Any) -> Any:
    return np.asarray(value).item()


def _array_of(make: Callable[..., Any], dtype: Any, shape: tuple[int, ...]) -> Callable[[Any], Any]:
    return lambda value: make(value, dtype).reshape(shape)


def _names_field(key: Any, model: type[BaseModel]) -> bool:
    if not isinstance(key, str) or not key.isidentifier() or keyword.iskeyword(key) or key.startswith(("_", "model_")):
        return False
    return key not in model.model_fields and not hasattr(model, key)


def _capital(key: str) -> str:
    return "".join(word[:1].upper() + word[1:] for word in key.split("_"))

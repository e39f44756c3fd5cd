"""Typed models of Gymnasium's spaces as Python source, to be read and changed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import numpy as np
from annotated_types import Ge, Le
from gymnasium import Space, spaces
from pydantic import BaseModel, Strict, StringConstraints

from ..contract.arrays import Array
from .gymnasium_spaces import ACTION, OBSERVED, character_class, models_of
from .python_source import Group, Source, call, literal, statement

LONGEST_TELLING = 90
MOST_NAMED = 4


def models_source(action: Space[Any], observation: Space[Any], name: str, described: str) -> str:
    """Return a module of the models `<name>Action` and `<name>Observation`, the same as `models_of` makes.

    Args:
        action: an environment's action space.
        observation: its observation space.
        name: what the models' names begin with.
        described: the environment's name for people.

    Raises:
        UsageError: as `models_of`.
    """
    made_action, made_observation = models_of(action, observation, name)
    of_action = {ACTION: action}
    by_field = isinstance(observation, spaces.Dict) and OBSERVED not in made_observation.model_fields
    of_observation = dict(observation.spaces) if by_field and isinstance(observation, spaces.Dict) else {OBSERVED: observation}
    parts = {part.__name__: (part, space) for part, space in _parts(made_action, of_action)}
    parts.update({part.__name__: (part, space) for part, space in _parts(made_observation, of_observation)})
    classes = [
        _class(part, "Part", dict(space.spaces), "A part of an action or an observation.") for part, space in parts.values()
    ]
    classes.append(_class(made_action, "Action", of_action, "What to do."))
    classes.append(_class(made_observation, "Observation", of_observation, "What is seen."))
    if parts:
        classes.insert(0, _PART)
    body = "\n\n\n".join(classes)
    return f'"""What an agent does in {described}, and what it sees."""\n\n{_imports(body)}\n\n\n{body}\n'


def told(space: Space[Any]) -> str:
    """Say in words what a space holds."""
    if isinstance(space, spaces.Discrete):
        return f"{space.start} to {space.start + space.n - 1}"
    if isinstance(space, spaces.Box):
        return f"{_array(space)} from {_limits(space.low)} to {_limits(space.high)}"
    if isinstance(space, spaces.MultiDiscrete):
        return f"{_array(space)} from {_limits(space.start)} to {_limits(space.start + space.nvec - 1)}"
    if isinstance(space, spaces.MultiBinary):
        return f"{_array(space)} of 0 or 1"
    if isinstance(space, spaces.Text):
        return f"{space.min_length} to {space.max_length} characters of {character_class(space.character_set)}"
    if isinstance(space, spaces.Tuple):
        return f"({'; '.join(map(told, space.spaces))})"
    if isinstance(space, spaces.Dict):
        return "; ".join(f"{key}: {told(inner)}" for key, inner in space.spaces.items())
    return str(space)


_PART = '''class Part(BaseModel):
    """What belongs together inside an action or an observation; unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True)'''

_IMPORTS = {
    "openenv": ("Action", "Array", "Observation"),
    "pydantic": ("BaseModel", "ConfigDict", "Field", "Strict", "StringConstraints"),
}


def _imports(body: str) -> str:
    used = {module: ", ".join(name for name in names if re.search(rf"\b{name}\b", body)) for module, names in _IMPORTS.items()}
    lines = ["import numpy as np"] if "np.ndarray" in body else []
    lines += [f"from {module} import {names}" for module, names in used.items()]
    return "\n".join(["from typing import Annotated", "", *lines])


def _class(model: type[BaseModel], base: str, of: dict[str, Space[Any]], what: str) -> str:
    hints = get_type_hints(model, include_extras=True)
    fields = [statement(f"{name}: ", _field(hints[name], space), "    ") for name, space in of.items()]
    return "\n".join([f"class {model.__name__}({base}):", f'    """{what}"""', "", *fields])


def _field(annotation: Any, space: Space[Any]) -> Source:
    """Return a field's type, with what the space holds as its description."""
    plain, *constraints = _split(annotation)
    described = told(space)
    described = described if len(described) <= LONGEST_TELLING else f"{described[: LONGEST_TELLING - 1]}…"
    return Group("Annotated[", [_type(plain), *_constraints(constraints, description=described)], "]")


def _type(annotation: Any) -> Source:
    plain, *constraints = _split(annotation)
    if constraints:
        return Group("Annotated[", [_type(plain), *_constraints(constraints)], "]")
    if plain is np.ndarray:
        return "np.ndarray"
    if get_origin(plain) is tuple:
        return Group("tuple[", [_type(part) for part in get_args(plain)], "]")
    return str(plain.__name__)


def _split(annotation: Any) -> tuple[Any, ...]:
    return get_args(annotation) if get_origin(annotation) is Annotated else (annotation,)


def _constraints(constraints: list[Any], **further: Any) -> Iterator[Source]:
    """Yield what constrains a type; bounds of a number, and what is said of a field, stand in one `Field`."""
    bounds: dict[str, Any] = {}
    for one in constraints:
        if isinstance(one, Strict):
            yield "Strict()"
        elif isinstance(one, Ge):
            bounds["ge"] = one.ge
        elif isinstance(one, Le):
            bounds["le"] = one.le
        elif isinstance(one, Array):
            sides = {"ge": one.ge, "le": one.le}
            written = [literal(str(one.dtype)), *(str(length) for length in one.shape or ())]
            yield call("Array", *written, **{side: bound for side, bound in sides.items() if bound is not None})
        elif isinstance(one, StringConstraints):
            lengths = {"min_length": one.min_length, "max_length": one.max_length}
            yield call("StringConstraints", **lengths, **({"pattern": one.pattern} if one.pattern else {}))
    if bounds or further:
        yield call("Field", **bounds, **further)


def _parts(model: type[BaseModel], of: dict[str, Space[Any]]) -> Iterator[tuple[type[BaseModel], spaces.Dict]]:
    """Yield the models inside a model's fields with their spaces, the innermost first."""
    hints = get_type_hints(model, include_extras=True)
    for name, space in of.items():
        yield from _inside(hints[name], space)


def _inside(annotation: Any, space: Space[Any]) -> Iterator[tuple[type[BaseModel], spaces.Dict]]:
    if isinstance(space, spaces.Tuple):
        for part, inner in zip(get_args(annotation), space.spaces, strict=True):
            yield from _inside(part, inner)
    elif isinstance(space, spaces.Dict):
        yield from _parts(annotation, dict(space.spaces))
        yield annotation, space


def _array(space: Space[Any]) -> str:
    shape = space.shape or ()
    return f"{np.dtype(space.dtype).name}{list(shape) if shape else ''}"


def _limits(limits: np.ndarray[Any, Any]) -> str:
    flat = [str(limit) for limit in limits.flat]
    if len(set(flat)) == 1:
        return flat[0]
    return f"[{', '.join(flat)}]" if len(flat) <= MOST_NAMED else f"{limits.min()!s} … {limits.max()!s}"

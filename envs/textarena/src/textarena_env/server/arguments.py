"""The arguments of TextArena's classes: which a game takes, and of which kinds they are."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ConfigDict, TypeAdapter, ValidationError

from .catalogue import game_class, one_line, registry

FILES = frozenset({"batna", "data_path", "game_config"})
"""Arguments that name files of the server's, which are not for a client to choose."""


def check_arguments(env_id: str, given: Mapping[str, Any]) -> None:
    """Check arguments of a game by their names and kinds; whether the game can do with their values it says itself.

    Args:
        env_id: one that TextArena registers.
        given: values by name, of which text is no number and True is none either.

    Raises:
        GameUnavailable: the game does not run here.
        ValueError: the game takes no such argument, or not this kind; the message names those it takes.
    """
    if not given:
        return
    registered = registry()[env_id].kwargs
    parameters = _parameters(env_id)
    for name, value in given.items():
        if name not in parameters:
            raise ValueError(f"{env_id} has no argument {name!r:.60}: {accepted(env_id)}")
        default = registered.get(name, parameters[name].default)
        if (fault := _fault(parameters[name].annotation, default, value)) is not None:
            raise ValueError(f"{name} of {env_id} cannot be {value!r:.60}: {fault}; {accepted(env_id)}")


def accepted(env_id: str) -> str:
    """Return in words what a game's `env_kwargs` may hold."""
    names = _parameters(env_id)
    return f"env_kwargs may hold {', '.join(names)}" if names else "it takes none"


def _parameters(env_id: str) -> dict[str, inspect.Parameter]:
    found = inspect.signature(game_class(env_id)).parameters
    return {name: parameter for name, parameter in found.items() if name not in FILES}


def _fault(annotation: Any, default: Any, value: Any) -> str | None:
    """Return what is wrong with the kind of a value. Where TextArena names none, it is to be that of the default."""
    if value is None and default is None:
        return None
    kind = type(default) if annotation is inspect.Parameter.empty else annotation
    if kind is tuple:
        kind = Sequence[int]
    try:
        TypeAdapter(kind, config=ConfigDict(strict=True, arbitrary_types_allowed=True)).validate_python(value)
    except ValidationError as error:
        return one_line(ValueError("; ".join(dict.fromkeys(each["msg"].lower() for each in error.errors()))))
    return None

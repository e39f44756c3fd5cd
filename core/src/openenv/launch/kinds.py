"""The kinds of values that options take, and how one of another kind is refused."""

from __future__ import annotations

import math
import os
import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from numbers import Integral, Real
from reprlib import Repr
from typing import Any, NamedTuple

from ..errors import LaunchError

_shown = Repr()
_shown.maxstring = _shown.maxother = 60


class Kind(NamedTuple):
    """What an option takes.

    Attributes:
        takes: says it, as it stands after "must be".
        read: returns the value as it is used; raises `TypeError` or `ValueError` where it is of another kind.
        is_secret: the value is not to be shown.
    """

    takes: str
    read: Callable[[Any], Any]
    is_secret: bool = False


def read(name: str, value: Any, kind: Kind) -> Any:
    """Return an option's value as it is used. Raises `LaunchError` with one line that says what the option takes."""
    try:
        return kind.read(value)
    except (TypeError, ValueError):
        but = "" if kind.is_secret else f", but is {' '.join(_shown.repr(value).split())}"
        raise LaunchError(f"{name} must be {kind.takes}{but}") from None


def read_variables(env_vars: Any) -> dict[str, str]:
    """Return environment variables, numbers among them as texts; None is none. Raises `LaunchError` as `read`."""
    given = {} if env_vars is None else read("env_vars", env_vars, NAMED)
    return {read("a name of env_vars", name, VARIABLE): read(f"env_vars[{name!r}]", given[name], VALUE) for name in given}


def optional(kind: Kind) -> Kind:
    """Return the kind that takes None beside what another takes."""
    return kind._replace(takes=f"{kind.takes}, or None", read=lambda value: None if value is None else kind.read(value))


def _whole(least: int, most: float = math.inf) -> Callable[[Any], int]:
    def whole(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, Integral):
            raise TypeError
        if not least <= int(value) <= most:
            raise ValueError
        return int(value)

    return whole


def _number(least: float, *, above: bool = False, most: float = sys.float_info.max) -> Callable[[Any], float]:
    def number(value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, Real):
            raise TypeError
        found = int(value) if isinstance(value, Integral) else float(value)
        if not least <= found <= most or (above and found == least):
            raise ValueError
        return found

    return number


def _yes_or_no(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value or "\0" in value:
        raise TypeError
    return value


def _texts(value: Any) -> tuple[str, ...]:
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise TypeError
    return tuple(map(_text, value))


def _named(value: Any) -> Mapping[Any, Any]:
    if not isinstance(value, Mapping):
        raise TypeError
    return value


def _port(value: Any) -> int | None:
    return _whole(0, 65535)(value) or None


def _command(value: Any) -> str | list[str]:
    if isinstance(value, str):
        shlex.split(value)
        return value
    if not isinstance(value, Sequence) or not all(isinstance(word, str) for word in value):
        raise TypeError
    return list(value)


def _user(value: Any) -> str:
    return str(_whole(0)(value)) if isinstance(value, Integral) else _text(value)


def _folders(value: Any) -> dict[str, str]:
    return {_text(os.fspath(source)): _text(os.fspath(place)) for source, place in _named(value).items()}


def _labels(value: Any) -> dict[str, str]:
    if not all(isinstance(text, str) for text in _named(value).values()):
        raise TypeError
    return {_text(name): text for name, text in value.items()}


def _login(value: Any) -> tuple[str, str]:
    name, password = _texts(value)
    return name, password


def _variable(value: Any) -> str:
    if "=" in _text(value):
        raise ValueError
    return str(value)


def _value(value: Any) -> str:
    if not isinstance(value, str | Real) or "\0" in str(value):
        raise TypeError
    return str(value)


def _image_or_not(value: Any) -> bool | str:
    return value if isinstance(value, bool) else _text(value)


PORT = Kind("a whole number from 1 to 65535", _whole(1, 65535))
PORT_OR_FREE = Kind("a whole number from 1 to 65535, or 0 for a free one", _port)
COUNT = Kind("a whole number above 0", _whole(1))
MIB_OR_NONE = Kind("a whole number of MiB, or 0 for none", _whole(0))
MIB_AT_LEAST_1 = Kind("a number of MiB, 1 or more", _number(1))
CORES = Kind("a number of cores, 0.01 or more", _number(0.01))
SECONDS = Kind("a number of seconds, 0 or more", _number(0))
SECONDS_ABOVE_0 = Kind("a number of seconds above 0", _number(0, above=True))
PATIENCE = Kind("a number of seconds above 0", _number(0, above=True, most=math.inf))
YES_OR_NO = Kind("True or False", _yes_or_no)
TEXT = Kind("a text", _text)
TEXTS = Kind("a list of texts", _texts)
NAMED = Kind("values by name, such as {'OPENENV_ISOLATION': 'process'}", _named, is_secret=True)
VARIABLE = Kind("a text without =", _variable)
VALUE = Kind("a text or a number", _value, is_secret=True)
COMMAND = Kind("a text as a shell reads it, or a list of texts", _command)
USER = Kind("a number, or a text such as '1000:1000'", _user)
LABELS = Kind("texts by name, such as {'team': 'red'}", _labels)
FOLDERS = Kind("folders by name, such as {'/data': '/data:ro'}", _folders)
LOGIN = Kind("a name and a password", _login, is_secret=True)
IMAGE = Kind("the name of an image", _text)
IMAGE_OR_NOT = Kind("True, False, or the name of an image", _image_or_not)

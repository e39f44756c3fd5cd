"""A game's name and parameters as users give them, checked before OpenSpiel sees them."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from typing import Any

import pyspiel

from .words import one_line

TEXT_GAMES = {"efg_game": "load_efg_game", "nfg_game": "load_nfg_game"}
"""Games that a text describes: the parameter `data` takes it, and this function of pyspiel reads it."""

MAX_TEXT_CHARS = 100_000
"""Longest value of a parameter that is text."""

MAX_DEPTH = 4
"""How deep games may stand inside games."""

_GAP = re.compile(r",\s+")
_BRACKET_OR_KEY = re.compile(r"[()]|(?<=[(,])[^(),=]+(?==)")
_FEN = re.compile(r"([1-8pnbrqkPNBRQK/]+) [wb] (?:-|[KQkq]+) (?:-|[a-h][1-8]) \d{1,4} \d{1,4}$")
_INT32 = range(-(2**31), 2**31)


REGISTERED: dict[str, Any] = {kind.short_name: kind for kind in pyspiel.registered_games()}
"""OpenSpiel's games by short name; as they are now, for `open_spiel.python` registers more of them when it is imported."""


def parsed(name: Any, params: Any) -> tuple[str, dict[str, Any]]:
    """Return the short name and parameters that a name such as `go(board_size=9)` stands for, `params` over those in it.

    Raises:
        ValueError: there is no such game, it does not read as a game, or `params` maps nothing.
    """
    if not isinstance(params, dict | None):
        raise ValueError(f"game_params must map names to values, not {params!r:.100}")
    written: dict[str, Any] = {}
    if isinstance(name, str) and "(" in name:
        written = _read(name)
        name = written.pop("name", name)
    if not isinstance(name, str) or name not in REGISTERED:
        raise ValueError(f"unknown game {name!r:.100}{_nearest(str(name))}")
    return name, {**written, **(params or {})}


def checked(name: str, params: Mapping[str, Any], depth: int = 0) -> dict[str, Any]:
    """Return a registered game's parameters in the types that OpenSpiel wants.

    Raises:
        ValueError: it has no such parameter, or a value does not fit.
    """
    specification = {"data": ""} if name in TEXT_GAMES else REGISTERED[name].parameter_specification
    for key in params:
        if "file" in str(key) or key == "puzzles_root":
            instead = "; give its text as 'data'" if name in TEXT_GAMES else ""
            raise ValueError(
                f"{name}'s parameter {key!r:.100} names a file of the server's machine, which is not supported{instead}"
            )
    unknown = sorted(map(str, params.keys() - specification.keys()))
    if unknown:
        takes = ", ".join(sorted(specification)) or "none"
        raise ValueError(f"{name} has no parameter {', '.join(map(repr, unknown)):.100}; it takes: {takes}")
    if isinstance(params.get("fen"), str):
        _check_fen(name, params["fen"], params.get("board_size", specification.get("board_size", 8)))
    return {key: _fitted(name, key, value, type(specification[key]), depth) for key, value in params.items()}


def _fitted(name: str, key: str, value: Any, expected: type, depth: int) -> Any:
    if expected is dict:
        return _inner_game(name, key, value, depth)
    if expected is float and type(value) is int:
        return float(value)
    if type(value) is not expected or (expected is int and value not in _INT32):
        raise ValueError(f"{name}'s parameter {key!r} must be of the type {expected.__name__}, not {value!r:.100}")
    if isinstance(value, str) and len(value) > MAX_TEXT_CHARS:
        raise ValueError(f"{name}'s parameter {key!r} has {len(value)} characters; at most {MAX_TEXT_CHARS} are read")
    return value


def _check_fen(name: str, fen: str, size: Any) -> None:
    """Refuse a position that does not fill the board or has not one king a side: OpenSpiel does not, and may never end."""
    found = _FEN.match(fen)
    rows = found.group(1).split("/") if found else []
    full = len(rows) == size and all(sum(int(cell) if cell.isdigit() else 1 for cell in row) == size for row in rows)
    if not full or (name != "antichess" and not fen.split()[0].count("k") == fen.split()[0].count("K") == 1):
        raise ValueError(
            f"{name}'s parameter 'fen' must be a position in FEN on a board of {size!r:.100} rows, not {fen!r:.100}"
        )


def _inner_game(name: str, key: str, value: Any, depth: int) -> dict[str, Any]:
    if isinstance(value, str):
        value = _read(value)
    if not isinstance(value, dict) or "name" not in value:
        raise ValueError(f"{name}'s parameter {key!r} must be a game, such as 'kuhn_poker()' or {{'name': 'kuhn_poker'}}")
    if depth == MAX_DEPTH:
        raise ValueError(f"{name}: games stand inside games more than {MAX_DEPTH} deep")
    inner, params = parsed(value["name"], {inner_key: item for inner_key, item in value.items() if inner_key != "name"})
    if inner in TEXT_GAMES:
        raise ValueError(f"{inner} names a file of the server's machine when it stands inside {name}, which is not supported")
    return {"name": inner, **checked(inner, params, depth + 1)}


def _read(text: str) -> dict[str, Any]:
    text = _GAP.sub(",", text)
    try:
        read: dict[str, Any] = pyspiel.game_parameters_from_string(text)
    except pyspiel.SpielError as error:
        raise ValueError(f"{text!r:.100} does not read as a game: {one_line(error)}") from None
    _check_written_once(text)
    return read


def _check_written_once(text: str) -> None:
    """Refuse what OpenSpiel passes over: a parameter that stands twice, and what is outside of the brackets."""
    said: list[set[str]] = []
    for found in _BRACKET_OR_KEY.finditer(text):
        piece = found.group()
        if piece == "(":
            said.append({"name"})
        elif not said or (piece == ")" and len(said) == 1 and found.end() < len(text)):
            raise ValueError(f"{text!r:.100} does not read as a game: write its name, and all else in brackets after it")
        elif piece == ")":
            said.pop()
        elif piece in said[-1]:
            raise ValueError(f"{text!r:.100} says twice what {piece!r:.100} is")
        else:
            said[-1].add(piece)


def _nearest(name: str) -> str:
    near = difflib.get_close_matches(re.sub(r"\W+", "_", name[:50].lower()), REGISTERED, n=3)
    if near:
        return f": did you mean {' or '.join(near)}?"
    return f": OpenSpiel has {len(REGISTERED)} games, such as catch or tic_tac_toe"

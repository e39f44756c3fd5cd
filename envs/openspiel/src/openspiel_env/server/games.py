"""Games as OpenSpiel has them, checked before they are played."""

from __future__ import annotations

import difflib
import functools
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyspiel

MAX_TENSOR_VALUES = 1_000_000
"""Largest information state that is sent; parameters that ask for more are refused."""

PUBLIC_MOVES = frozenset({"kuhn_poker", "leduc_poker", "liars_dice"})
"""Games that hide something, but never what an opponent did."""

_INT32 = range(-(2**31), 2**31)
_SOURCE_LINE = re.compile(r"^\S+\.(?:cc|h):\d+\s+")


@dataclass(frozen=True)
class Game:
    """A game that can be played here, with what its type says.

    Attributes:
        name: OpenSpiel's short name.
        params: the parameters chosen over the defaults.
        spiel: OpenSpiel's own object.
        num_players: seats.
        all_params: every parameter with its value, defaults included.
        has_information_state: it gives information state tensors; else it gives observation tensors.
        pays_on_the_way: rewards may come before the end.
        moves_are_public: an opponent's move may be told to the agent.
    """

    name: str
    params: dict[str, Any]
    spiel: Any
    num_players: int
    all_params: dict[str, Any]
    has_information_state: bool
    pays_on_the_way: bool
    moves_are_public: bool


def load(name: Any, params: Any = None) -> Game:
    """Return the game of that name with those parameters over its defaults. Both come from users, and may be anything.

    Raises:
        ValueError: there is no such game, a parameter does not fit it, or it is of a kind that is not played here.
    """
    known = _registered()
    if not isinstance(name, str) or name not in known:
        raise ValueError(f"unknown game {name!r}{_nearest(str(name), known)}")
    if not isinstance(params, dict | None):
        raise ValueError(f"game_params must map names to values, not {params!r}")
    given = _checked_params(name, params or {}, known[name].parameter_specification)
    try:
        spiel = pyspiel.load_game(name, given)
    except pyspiel.SpielError as error:
        raise ValueError(f"{name} cannot be played with the parameters {given}: {one_line(error)}") from None
    kind = spiel.get_type()
    _check_playable(name, kind)
    has_information_state = bool(kind.provides_information_state_tensor)
    shape = spiel.information_state_tensor_shape() if has_information_state else spiel.observation_tensor_shape()
    if min(shape, default=0) < 1 or math.prod(shape) > MAX_TENSOR_VALUES:
        raise ValueError(
            f"{name} cannot be played with the parameters {given}: they give an information state of the shape {shape}, "
            f"which must hold 1 to {MAX_TENSOR_VALUES} values"
        )
    return Game(
        name=name,
        params=given,
        spiel=spiel,
        num_players=spiel.num_players(),
        all_params=dict(spiel.get_parameters()),
        has_information_state=has_information_state,
        pays_on_the_way=kind.reward_model == pyspiel.GameType.RewardModel.REWARDS,
        moves_are_public=kind.information == pyspiel.GameType.Information.PERFECT_INFORMATION or name in PUBLIC_MOVES,
    )


def one_line(error: Exception) -> str:
    """Return what OpenSpiel says went wrong, without its source lines and line breaks."""
    lines = [_SOURCE_LINE.sub("", line).strip() for line in str(error).splitlines()]
    return "; ".join(line for line in lines if line)[:300]


@functools.cache
def _registered() -> dict[str, Any]:
    return {kind.short_name: kind for kind in pyspiel.registered_games()}


def _nearest(name: str, known: Mapping[str, Any]) -> str:
    near = difflib.get_close_matches(name, known, n=3)
    if near:
        return f": did you mean {' or '.join(near)}?"
    return f": OpenSpiel has {len(known)} games, such as catch or tic_tac_toe"


def _checked_params(name: str, params: Mapping[str, Any], specification: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters, refused here where OpenSpiel would refuse them and write to standard error as well."""
    unknown = sorted(params.keys() - specification.keys())
    if unknown:
        takes = ", ".join(sorted(specification)) or "none"
        raise ValueError(f"{name} has no parameter {', '.join(map(repr, unknown))}; it takes: {takes}")
    return {key: _fitted(name, key, value, type(specification[key])) for key, value in params.items()}


def _fitted(name: str, key: str, value: Any, expected: type) -> Any:
    if expected is float and type(value) is int:
        return float(value)
    if _names_a_file(key, value):
        raise ValueError(f"{name}'s parameter {key!r} names a file of the server's machine, which is not supported")
    if type(value) is not expected or (expected is int and value not in _INT32):
        raise ValueError(f"{name}'s parameter {key!r} must be of the type {expected.__name__}, not {value!r}")
    return value


def _names_a_file(key: str, value: Any) -> bool:
    return "file" in key or (isinstance(value, dict) and any(_names_a_file(str(inner), item) for inner, item in value.items()))


def _check_playable(name: str, kind: Any) -> None:
    if kind.dynamics != pyspiel.GameType.Dynamics.SEQUENTIAL:
        raise ValueError(f"{name} is not played in turns ({kind.dynamics.name.lower()}), which is not supported")
    if kind.chance_mode == pyspiel.GameType.ChanceMode.SAMPLED_STOCHASTIC:
        raise ValueError(f"{name} throws dice of its own, which a seed does not decide; it is not supported")
    if not (kind.provides_information_state_tensor or kind.provides_observation_tensor):
        raise ValueError(f"{name} gives no tensor of what a player sees; it is not supported")

"""Perfect play in games small enough to be searched to the end: the opponent policy `minimax`."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from random import Random
from typing import Any

import pyspiel

from .games import Game, load

MAX_POSITIONS = 100_000
"""Most positions that are searched; a game with more is refused."""

MAX_LENGTH = 200
"""Longest game that is searched."""

_FAIR = (pyspiel.GameType.Utility.ZERO_SUM, pyspiel.GameType.Utility.CONSTANT_SUM)
_CHANCE = int(pyspiel.PlayerId.CHANCE)

Values = Mapping[str, float]
"""By position, what seat 0 gets when both play perfectly."""


class Minimax:
    """Plays perfectly; between moves that are equally good it chooses at random."""

    def __init__(self, values: Values) -> None:
        self._values = values

    def __call__(self, state: Any, seat: int, rng: Random) -> int:
        sign = 1 if seat == 0 else -1
        worth: dict[int, float] = {
            action: sign * self._values[_position(state.child(action))] for action in state.legal_actions()
        }
        best = max(worth.values())
        return rng.choice([action for action, value in worth.items() if value == best])


def solved(game: Game) -> Values:
    """Return the values of a game's positions, searched once for each game in a process.

    Raises:
        ValueError: the game is too large, or of a kind that has no such values; the message says which.
    """
    kind = game.spiel.get_type()
    if (
        game.dynamics != "sequential"
        or game.hides_something
        or game.throws_dice
        or game.num_players != 2
        or kind.utility not in _FAIR
    ):
        raise ValueError(
            f"minimax does not play {game.name}: it is for two players in turns who see all, one's gain the other's loss"
        )
    values = (
        _searched(game.name, json.dumps(game.params, sort_keys=True)) if game.spiel.max_game_length() <= MAX_LENGTH else None
    )
    if values is None:
        raise ValueError(
            f"minimax does not play {game.name}: it has more than {MAX_POSITIONS} positions; mcts plays large games"
        )
    return values


@functools.lru_cache(maxsize=16)
def _searched(name: str, params: str) -> Values | None:
    values: dict[str, float] = {}
    try:
        _value(load(name, json.loads(params)).spiel.new_initial_state(), values)
    except _TooManyPositions:
        return None
    return values


class _TooManyPositions(Exception):
    """The search was given up."""


def _value(state: Any, values: dict[str, float]) -> float:
    position = _position(state)
    known = values.get(position)
    if known is not None:
        return known
    if len(values) >= MAX_POSITIONS:
        raise _TooManyPositions
    if state.is_terminal():
        value = float(state.returns()[0])
    elif (player := state.current_player()) == _CHANCE:
        value = sum(chance * _value(state.child(outcome), values) for outcome, chance in state.chance_outcomes())
    else:
        following = [_value(state.child(action), values) for action in state.legal_actions()]
        value = max(following) if player == 0 else min(following)
    values[position] = value
    return value


def _position(state: Any) -> str:
    """Name a position by all that its game says of it; the count of moves keeps games that repeat themselves finite."""
    return f"{state.move_number()} {state.current_player()} {state}"

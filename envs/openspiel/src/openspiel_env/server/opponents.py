"""How the seats that are not the agent's play."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

from . import crowd
from .games import Game
from .minimax import Minimax, solved
from .tree_search import FEWEST_SIMULATIONS, MOST_SIMULATIONS, TreeSearch, why_not

Opponent = Callable[[Any, int, Random], int]
"""Chooses a legal move in one of OpenSpiel's states for a seat, drawing from the episode's generator only."""

NONE = "none"
"""The opponent policy that leaves every seat to the client."""


def _random(state: Any, seat: int, rng: Random) -> int:
    legal: list[int] = state.legal_actions(seat)
    return rng.choice(legal)


def _first(state: Any, seat: int, rng: Random) -> int:
    first: int = state.legal_actions(seat)[0]
    return first


def _last(state: Any, seat: int, rng: Random) -> int:
    last: int = state.legal_actions(seat)[-1]
    return last


_SIMPLE: dict[str, Opponent] = {"random": _random, "first": _first, "last": _last}
POLICIES = (*_SIMPLE, "mcts", "minimax", NONE)


def checked(name: Any, simulations: Any) -> tuple[str, int]:
    """Return the name of an opponent and the play-outs a move of "mcts", which come from a user.

    Raises:
        ValueError: there is none of that name, or play-outs are not 2 to 10,000.
    """
    if not isinstance(name, str) or name not in POLICIES:
        raise ValueError(f"unknown opponent policy {name!r:.100}: choose {', '.join(POLICIES)}")
    if type(simulations) is not int or not FEWEST_SIMULATIONS <= simulations <= MOST_SIMULATIONS:
        raise ValueError(f"mcts_simulations must be {FEWEST_SIMULATIONS} to {MOST_SIMULATIONS}, not {simulations!r:.100}")
    return name, simulations


def opponent(name: str, game: Game, simulations: int) -> Opponent | None:
    """Return the opponent of that name in a game, or None for "none". Name and simulations are `checked`.

    Raises:
        ValueError: it does not play this game; the message says why.
    """
    if game.dynamics == "mean_field" and name not in crowd.POLICIES:
        raise ValueError(f"{game.name} is a mean-field game, whose population plays {', '.join(crowd.POLICIES)}, not {name}")
    if name == NONE:
        return None
    if name in _SIMPLE:
        return _SIMPLE[name]
    if game.num_players == 1:
        return _random
    if name == "minimax":
        return Minimax(solved(game))
    if reason := why_not(game):
        raise ValueError(f"mcts does not play {game.name}: {reason}")
    return TreeSearch(game, simulations)

"""The population of a mean-field game: many players alike, of whom the agent is one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

import pyspiel

from .games import Game

Chances = Callable[[Any], Iterable[tuple[int, float]]]
"""Tells of a state what happens there next: actions with their probabilities."""


def _random(state: Any) -> Iterable[tuple[int, float]]:
    legal = state.legal_actions()
    return [(action, 1 / len(legal)) for action in legal]


def _first(state: Any) -> Iterable[tuple[int, float]]:
    return [(state.legal_actions()[0], 1.0)]


def _last(state: Any) -> Iterable[tuple[int, float]]:
    return [(state.legal_actions()[-1], 1.0)]


def _chance(state: Any) -> Iterable[tuple[int, float]]:
    outcomes: list[tuple[int, float]] = state.chance_outcomes()
    return outcomes


_PLAYS: dict[str, Chances] = {"random": _random, "first": _first, "last": _last}
POLICIES = tuple(_PLAYS)
"""How a population can play."""


class Crowd:
    """Where the members of a population are, step by step, when all of them play one policy.

    The forward equation of mean-field games, solved once (Perrin and others, Fictitious Play for Mean Field Games, 2020).

    Args:
        game: a mean-field game.
        policy: one of `POLICIES`: each legal move as likely, or always the first or last.
    """

    def __init__(self, game: Game, policy: str) -> None:
        self._shares: dict[str, float] = {}
        states = [game.spiel.new_initial_state()]
        shares = {_name(states[0]): 1.0}
        while True:
            self._shares |= shares
            kind = states[0].get_type()
            if kind == pyspiel.StateType.TERMINAL:
                return
            if kind == pyspiel.StateType.MEAN_FIELD:
                states, shares = self._told(states, shares)
            else:
                states, shares = _moved(states, shares, _chance if kind == pyspiel.StateType.CHANCE else _PLAYS[policy])

    def spread_over(self, support: list[str]) -> list[float]:
        """Return the share of the population in each of the states named; 0 where nobody gets."""
        return [self._shares.get(name, 0.0) for name in support]

    def _told(self, states: list[Any], shares: dict[str, float]) -> tuple[list[Any], dict[str, float]]:
        """Tell each state how the population is spread; nobody moves."""
        after, told = [], {}
        for state in states:
            following = state.clone()
            following.update_distribution(self.spread_over(state.distribution_support()))
            after.append(following)
            told[_name(following)] = shares[_name(state)]
        return after, told


def _moved(states: list[Any], shares: dict[str, float], happens: Chances) -> tuple[list[Any], dict[str, float]]:
    after: dict[str, Any] = {}
    moved: dict[str, float] = defaultdict(float)
    for state in states:
        share = shares[_name(state)]
        for action, probability in happens(state):
            following = state.child(action)
            name = _name(following)
            after.setdefault(name, following)
            moved[name] += probability * share
    return list(after.values()), dict(moved)


def _name(state: Any) -> str:
    name: str = state.observation_string(0)
    return name

"""How the seats that are not the agent's play."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

Opponent = Callable[[list[int], Random], int]
"""Chooses one of the legal moves, drawing from the episode's generator only."""


def _random(legal_actions: list[int], rng: Random) -> int:
    return rng.choice(legal_actions)


def _first(legal_actions: list[int], rng: Random) -> int:
    return legal_actions[0]


def _last(legal_actions: list[int], rng: Random) -> int:
    return legal_actions[-1]


OPPONENTS: dict[str, Opponent] = {"random": _random, "first": _first, "last": _last}


def opponent(name: Any) -> Opponent:
    """Return the opponent of that name, which comes from a user. Raises `ValueError` where there is none."""
    chosen = OPPONENTS.get(name) if isinstance(name, str) else None
    if chosen is None:
        raise ValueError(f"unknown opponent policy {name!r}: choose {', '.join(OPPONENTS)}")
    return chosen

"""Dice that games throw inside: OpenSpiel holds them in the loaded game, and they go on from episode to episode."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Any

from .parameters import REGISTERED

SEED_PARAMETER = "rng_seed"
"""The parameter by which games with such dice take a seed."""

BY_THE_CLOCK = -1
"""The seed that lets a game seed itself."""

NOISE = "add_noise"
"""A game that draws an ending's noise when it is first reached, by its parameter `seed`."""


def held_by(name: str, params: Mapping[str, Any]) -> bool:
    """Return whether a game with those parameters, or one that stands inside it, holds dice."""
    inner = [value for value in params.values() if isinstance(value, dict)]
    return name == NOISE or _takes_seed(name) or any(held_by(game["name"], game) for game in inner)


def seeded(name: str, params: Mapping[str, Any], rng: Random) -> dict[str, Any]:
    """Return a game's parameters with a seed for each of its dice, from `rng` where it is not given among them.

    The noise of `add_noise` comes from its `seed` and `rng` together: from the `seed` alone every ending would have the same.
    """
    found: dict[str, Any] = {
        key: seeded(value["name"], value, rng) if isinstance(value, dict) else value for key, value in params.items()
    }
    if name == NOISE:
        found["seed"] ^= rng.randrange(2**31)
    elif _takes_seed(name) and found.get(SEED_PARAMETER, BY_THE_CLOCK) == BY_THE_CLOCK:
        found[SEED_PARAMETER] = rng.randrange(2**31)
    return found


def _takes_seed(name: str) -> bool:
    return SEED_PARAMETER in REGISTERED[name].parameter_specification

"""Which policies fit which game."""

from __future__ import annotations

from .formats import game_name
from .policy import Policy
from .random_player import RandomPolicy
from .wordle import WordlePolicy


def policies_for(env_id: str, seed: int) -> list[Policy]:
    """Return fresh policies that fit a game, the random one first.

    Args:
        env_id: TextArena's id of the game.
        seed: decides the policies' random choices, each drawing from a generator of its own.
    """
    kinds: list[type[Policy]] = [RandomPolicy, WordlePolicy] if game_name(env_id) == "Wordle" else [RandomPolicy]
    return [kind(f"{seed}/{kind.__name__}") for kind in kinds]

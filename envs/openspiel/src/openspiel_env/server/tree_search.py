"""Monte Carlo tree search as OpenSpiel has it: the opponent policy `mcts`."""

from __future__ import annotations

import math
from random import Random
from typing import Any

import pyspiel

from .games import Game

DEFAULT_SIMULATIONS = 100
MOST_SIMULATIONS = 10_000
MAX_MEMORY_MB = 128

RESAMPLED = frozenset(
    {
        "bargaining",
        "colored_trails",
        "euchre",
        "gin_rummy",
        "hearts",
        "kuhn_poker",
        "leduc_poker",
        "oh_hell",
        "universal_poker",
    }
)
"""Games with hidden information whose hidden part OpenSpiel can guess anew from what one seat sees.

Bridge can too, but a search of 20 simulations takes it more than 10 seconds.
"""


def why_not(game: Game) -> str:
    """Return why the search does not play a game; empty where it does."""
    if game.dynamics != "sequential":
        return "it needs players that take turns"
    if game.throws_dice:
        return "the game throws dice of its own, which a search cannot foresee"
    if game.pays_on_the_way:
        return "it needs rewards that come at the end only"
    if game.hides_something and game.name not in RESAMPLED:
        return "OpenSpiel cannot guess what this game hides, and to look would be to cheat"
    return ""


class TreeSearch:
    """Plays by `MCTSBot`, and where the game hides something by `ISMCTSBot`, which guesses it from what its seat sees.

    Each move is a search of its own with seeds from the episode's generator; leaves are judged by one random play-out.

    Args:
        game: one that `why_not` has nothing against.
        simulations: play-outs a move.
    """

    def __init__(self, game: Game, simulations: int) -> None:
        self._game = game
        self._simulations = simulations
        widest = max(abs(game.spiel.min_utility()), abs(game.spiel.max_utility()))
        # exploration in proportion to what is at stake: UCT's constant is for rewards up to 1
        self._exploration = math.sqrt(2) * (widest if 0 < widest < math.inf else 1.0)

    def __call__(self, state: Any, seat: int, rng: Random) -> int:
        evaluator = pyspiel.RandomRolloutEvaluator(1, rng.randrange(2**31))
        seed = rng.randrange(2**31)
        if self._game.hides_something:
            bot = pyspiel.ISMCTSBot(seed, evaluator, self._exploration, self._simulations)
        else:
            bot = pyspiel.MCTSBot(
                self._game.spiel, evaluator, self._exploration, self._simulations, MAX_MEMORY_MB, True, seed, False
            )
        return int(bot.step(state))

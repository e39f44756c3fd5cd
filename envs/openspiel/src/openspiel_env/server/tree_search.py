"""Monte Carlo tree search as OpenSpiel has it: the opponent policy `mcts`."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from random import Random
from typing import Any

import pyspiel

from .games import Game

DEFAULT_SIMULATIONS = 100
FEWEST_SIMULATIONS = 2
MOST_SIMULATIONS = 10_000
MAX_MEMORY_MB = 128

RESAMPLED = frozenset(
    {
        "bargaining",
        "colored_trails",
        "euchre",
        "gin_rummy",
        "kuhn_poker",
        "leduc_poker",
        "oh_hell",
        "universal_poker",
    }
)
"""Games with hidden information whose hidden part OpenSpiel can guess anew from what one seat sees.

Not among them: bridge, which takes seconds for a guess, and hearts, whose guess crashes OpenSpiel 2.0.2 now and then.
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
    """Plays by `MCTSBot`. Where the game hides something, it searches in worlds guessed from what its seat sees.

    Of n simulations, √n worlds get √n each, and the action visited most in all of them is played. (`ISMCTSBot`, which
    shares one tree between the worlds, goes through hash maps in an order that no seed decides.) Each move is a search of
    its own with seeds from the episode's generator; leaves are judged by one random play-out.

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
        if not self._game.hides_something:
            return int(self._bot(self._simulations, rng).step(state))
        worlds = math.isqrt(self._simulations)
        visits: Counter[int] = Counter()
        rewards: dict[int, float] = defaultdict(float)
        for _ in range(worlds):
            world = state.resample_from_infostate(seat, rng.random)
            for node in self._bot(max(FEWEST_SIMULATIONS, self._simulations // worlds), rng).mcts_search(world).children:
                visits[node.action] += node.explore_count
                rewards[node.action] += node.total_reward
        return max(sorted(visits), key=lambda action: (visits[action], rewards[action]))

    def _bot(self, simulations: int, rng: Random) -> Any:
        evaluator = pyspiel.RandomRolloutEvaluator(1, rng.randrange(2**31))
        seed = rng.randrange(2**31)
        return pyspiel.MCTSBot(self._game.spiel, evaluator, self._exploration, simulations, MAX_MEMORY_MB, True, seed, False)

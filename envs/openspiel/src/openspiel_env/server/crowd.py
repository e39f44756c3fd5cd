"""The population of a mean-field game: many players alike, of whom the agent is one."""

from __future__ import annotations

from typing import Any

from .games import Game

POLICIES = ("random", "first", "last")
"""How a population can play."""


class Crowd:
    """Where the members of a population are, step by step, when all of them play one policy.

    Computed once by OpenSpiel's forward equation, `open_spiel.python.mfg.algorithms.distribution`.

    Args:
        game: a mean-field game.
        policy: one of `POLICIES`: each legal move as likely, or always the first or last.
    """

    def __init__(self, game: Game, policy: str) -> None:
        from open_spiel.python.mfg.algorithms.distribution import DistributionPolicy  # type: ignore[import-untyped]
        from open_spiel.python.policy import Policy, UniformRandomPolicy  # type: ignore[import-untyped]

        class OneLegalMove(Policy):  # type: ignore[misc]
            """Always the first legal move, or the last."""

            def action_probabilities(self, state: Any, player_id: int | None = None) -> dict[int, float]:
                return {state.legal_actions()[0 if policy == "first" else -1]: 1.0}

        players = list(range(game.num_players))
        plays = UniformRandomPolicy(game.spiel) if policy == "random" else OneLegalMove(game.spiel, players)
        self._shares = DistributionPolicy(game.spiel, plays)

    def spread_over(self, support: list[str]) -> list[float]:
        """Return the share of the population in each of the states named; 0 where nobody gets."""
        return [float(self._shares.value_str(name, 0.0)) for name in support]

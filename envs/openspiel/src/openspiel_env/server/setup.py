"""What an episode is played with: a game and its players, as a user chooses them, checked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self

from . import games, opponents, parameters
from .crowd import Crowd
from .games import Game
from .opponents import Opponent


@dataclass(frozen=True)
class Setup:
    """A game and who plays it: all that a reset chooses.

    Attributes:
        game: what is played.
        seat: the agent's.
        policy: how the other seats play, one of `opponents.POLICIES`.
        simulations: play-outs a move of "mcts".
        opponent: plays the other seats; None leaves them to the client.
        crowd: how the population of a mean-field game spreads; None in other games.
    """

    game: Game
    seat: int
    policy: str
    simulations: int
    opponent: Opponent | None
    crowd: Crowd | None

    @classmethod
    def of(cls, name: Any, params: Any, seat: Any, policy: Any, simulations: Any, kept: Iterable[Setup] = ()) -> Self:
        """Return the setup that these choices of a user make, whatever they are.

        Args:
            name, params: as for `games.load`.
            seat: the agent's.
            policy, simulations: as for `opponents.checked`.
            kept: setups whose games and opponents are taken where the choices are theirs, and not made anew.

        Raises:
            ValueError: these do not make a game that can be played; the message says why.
        """
        name, params = parameters.parsed(name, params)
        # checked before they are compared, because 6.0 and True equal whole numbers and are none
        params = parameters.checked(name, params)
        same = [each for each in kept if (each.game.name, each.game.params) == (name, params)]
        game = same[0].game if same else games.load(name, params)
        _check_seat(game, seat)
        policy, simulations = opponents.checked(policy, simulations)
        for each in same:
            if (each.policy, each.simulations) == (policy, simulations):
                return cls(game, seat, policy, simulations, each.opponent, each.crowd)
        opponent = opponents.opponent(policy, game, simulations)
        crowd = Crowd(game, policy) if game.dynamics == "mean_field" else None
        return cls(game, seat, policy, simulations, opponent, crowd)

    def changed(self, last: Setup, name: Any, params: Any, seat: Any, policy: Any, simulations: Any) -> Self:
        """Return this setup with what is given, and not None, in its place. Raises as `of`.

        Args:
            last: the setup played last, whose game and opponents are kept beside this one's.
            name: another game, with its own defaults. None: this one, with `params` over its parameters.
            params, seat, policy, simulations: as for `of`.
        """
        if name is None:
            name, over = parameters.parsed(self.game.name, params)
            params = {**self.game.params, **over}
        return self.of(
            name,
            params,
            self.seat if seat is None else seat,
            self.policy if policy is None else policy,
            self.simulations if simulations is None else simulations,
            kept=(self, last),
        )


def _check_seat(game: Game, seat: Any) -> None:
    if type(seat) is not int or not 0 <= seat < game.num_players:
        seats = "only seat 0" if game.num_players == 1 else f"seats 0 to {game.num_players - 1}"
        raise ValueError(f"agent_player must be a seat of {game.name}, which has {seats}, not {seat!r:.100}")

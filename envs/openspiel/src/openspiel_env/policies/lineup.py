"""Which policies fit which game."""

from __future__ import annotations

from .cards import AggressiveKuhnPolicy, BasicBlackjackPolicy, EquilibriumKuhnPolicy
from .catch import AlwaysStayPolicy, LearningPolicy, SmartCatchPolicy
from .crossword import RandomCrosswordPolicy
from .grids import CornerPolicy, SafePathPolicy
from .learner import TabularPolicy
from .policy import FirstLegalPolicy, Policy, RandomPolicy
from .tic_tac_toe import TacticalTicTacToePolicy

WON_OR_LOST = frozenset({"blackjack", "catch", "tic_tac_toe"})
"""Games in which a positive return is a win, all wins being worth the same; others are a matter of more or less."""

_LINEUPS: dict[str, tuple[type[Policy], ...]] = {
    "2048": (RandomPolicy, FirstLegalPolicy, CornerPolicy, TabularPolicy),
    "blackjack": (RandomPolicy, FirstLegalPolicy, BasicBlackjackPolicy, TabularPolicy),
    "catch": (RandomPolicy, AlwaysStayPolicy, SmartCatchPolicy, LearningPolicy),
    "cliff_walking": (RandomPolicy, FirstLegalPolicy, SafePathPolicy, TabularPolicy),
    "crossword": (RandomCrosswordPolicy,),
    "kuhn_poker": (RandomPolicy, FirstLegalPolicy, EquilibriumKuhnPolicy, AggressiveKuhnPolicy, TabularPolicy),
    "tic_tac_toe": (RandomPolicy, FirstLegalPolicy, TacticalTicTacToePolicy, TabularPolicy),
}
_ANY_GAME: tuple[type[Policy], ...] = (RandomPolicy, FirstLegalPolicy, TabularPolicy)


def policies_for(game: str, seed: int) -> list[Policy]:
    """Return fresh policies that fit a game with its default parameters, the random one first.

    Args:
        game: OpenSpiel's short name; one without policies of its own gets those that play anything.
        seed: decides the policies' random choices, each drawing from a generator of its own.
    """
    return [kind(f"{seed}/{kind.__name__}") for kind in _LINEUPS.get(game, _ANY_GAME)]

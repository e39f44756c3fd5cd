"""Players of the agent's seat: light, and without any knowledge of the server."""

from .cards import AggressiveKuhnPolicy, BasicBlackjackPolicy, EquilibriumKuhnPolicy
from .catch import AlwaysStayPolicy, LearningPolicy, SmartCatchPolicy
from .crossword import RandomCrosswordPolicy
from .grids import CornerPolicy, SafePathPolicy
from .learner import TabularPolicy
from .lineup import WON_OR_LOST, policies_for
from .policy import FirstLegalPolicy, Policy, RandomPolicy
from .tic_tac_toe import TacticalTicTacToePolicy

__all__ = [
    "WON_OR_LOST",
    "AggressiveKuhnPolicy",
    "AlwaysStayPolicy",
    "BasicBlackjackPolicy",
    "CornerPolicy",
    "EquilibriumKuhnPolicy",
    "FirstLegalPolicy",
    "LearningPolicy",
    "Policy",
    "RandomCrosswordPolicy",
    "RandomPolicy",
    "SafePathPolicy",
    "SmartCatchPolicy",
    "TabularPolicy",
    "TacticalTicTacToePolicy",
    "policies_for",
]

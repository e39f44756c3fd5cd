"""Players of any seat: light, and without any knowledge of the server."""

from .lineup import policies_for
from .policy import Policy
from .random_player import RandomPolicy
from .wordle import WordlePolicy

__all__ = ["Policy", "RandomPolicy", "WordlePolicy", "policies_for"]

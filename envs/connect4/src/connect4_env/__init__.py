"""Connect Four as an environment."""

from .client import Connect4Env
from .models import Connect4Action, Connect4Observation, Connect4State
from .version import __version__

__all__ = ["Connect4Action", "Connect4Env", "Connect4Observation", "Connect4State", "__version__"]

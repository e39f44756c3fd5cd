"""OpenSpiel's games as an environment: the client and its models. The server needs the `[server]` extra."""

from .client import OpenSpielEnv
from .models import OpenSpielAction, OpenSpielObservation, OpenSpielState
from .version import __version__

__all__ = ["OpenSpielAction", "OpenSpielEnv", "OpenSpielObservation", "OpenSpielState", "__version__"]

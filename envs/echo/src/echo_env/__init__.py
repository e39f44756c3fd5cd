"""An environment that says back what it is told."""

from .client import EchoEnv
from .models import EchoAction, EchoObservation, EchoState
from .version import __version__

__all__ = ["EchoAction", "EchoEnv", "EchoObservation", "EchoState", "__version__"]

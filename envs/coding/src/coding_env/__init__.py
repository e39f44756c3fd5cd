"""Python code, run in walls of its own: the client and its models. The server needs the `[server]` extra."""

from .client import CodingEnv
from .models import CodeAction, CodeObservation, CodeState
from .tasks import CallTest, CodeTask, ProgramTest
from .version import __version__

__all__ = [
    "CallTest",
    "CodeAction",
    "CodeObservation",
    "CodeState",
    "CodeTask",
    "CodingEnv",
    "ProgramTest",
    "__version__",
]

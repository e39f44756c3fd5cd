"""Players of the sample tasks: what any agent should beat, and what none can."""

from __future__ import annotations

import random
import re
from abc import ABC, abstractmethod

from .models import CodeAction, CodeObservation
from .samples import SOLUTIONS


class Policy(ABC):
    """Writes the code of one step after another.

    Call `begin` with the observation of a reset, then `select_action` with each observation.
    """

    name: str

    def __init__(self) -> None:
        self._task: dict[str, str] = {}

    def begin(self, observation: CodeObservation) -> None:
        """Take the task of a new episode from its first observation."""
        self._task = observation.metadata.get("task", {})

    @abstractmethod
    def select_action(self, observation: CodeObservation) -> CodeAction:
        """Return the code to run next."""


class RandomPolicy(Policy):
    """Defines what the prompt names, as a function that returns something at random.

    Args:
        seed: the same seed writes the same code.
    """

    name = "random"
    ANSWERS = ("args[0]", "2 * args[0]", "str(args[0])", "sorted(args[0])", "[]", "0", "''", "None")

    def __init__(self, seed: int | None = None) -> None:
        super().__init__()
        self._random = random.Random() if seed is None else random.Random(str(seed))

    def select_action(self, observation: CodeObservation) -> CodeAction:
        names = re.findall(r"(\w+)\(", self._task.get("prompt", "")) or ["main"]
        answer = self._random.choice(self.ANSWERS)
        return CodeAction(code=f"def {names[0]}(*args):\n    return {answer}\n")


class ReferencePolicy(Policy):
    """Writes the known solution of a sample task."""

    name = "reference"

    def select_action(self, observation: CodeObservation) -> CodeAction:
        """Raises `KeyError` for a task that is no sample."""
        return CodeAction(code=SOLUTIONS[self._task["name"]])

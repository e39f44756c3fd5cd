"""Players of the echo: light, and without any knowledge of the server."""

from __future__ import annotations

from abc import ABC, abstractmethod
from random import Random
from string import ascii_letters

from .models import EchoObservation

DEFAULT_LONGEST = 100
"""How many characters a policy says at most unless told otherwise."""


class Policy(ABC):
    """Chooses what to say.

    Args:
        seed: decides the policy's own random choices. None: a fresh one.
        longest: characters that a message has at most. Default 100.

    Attributes:
        name: what a table of results calls it.

    Raises:
        ValueError: `longest` is no number of characters.
    """

    name: str

    def __init__(self, seed: int | str | None = None, longest: int = DEFAULT_LONGEST) -> None:
        if type(longest) is not int or longest < 0:
            raise ValueError(f"a message has 0 characters or more, not {longest!r:.100}")
        self.rng = Random(None if seed is None else str(seed))  # a string, because Random takes -1 and 1 for the same seed
        self.longest = longest

    @abstractmethod
    def select_action(self, observation: EchoObservation) -> str:
        """Return the message to say next."""


class RandomPolicy(Policy):
    """Letters at random, and as many of them as chance will have it."""

    name = "Random"

    def select_action(self, observation: EchoObservation) -> str:
        return "".join(self.rng.choices(ascii_letters, k=self.rng.randint(0, self.longest)))


class LongestPolicy(Policy):
    """Says as much as it may, which is the best there is: each character is rewarded, whichever it is."""

    name = "Longest"

    def select_action(self, observation: EchoObservation) -> str:
        return "o" * self.longest

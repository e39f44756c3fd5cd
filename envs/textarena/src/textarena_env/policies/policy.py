"""What a policy is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from random import Random

from ..models import TextArenaObservation


class Policy(ABC):
    """Says a player's messages.

    Args:
        seed: decides the policy's own random choices. None: a fresh one.

    Attributes:
        name: what a table of results calls it.
    """

    name: str

    def __init__(self, seed: int | str | None = None) -> None:
        self.rng = Random(seed)

    @abstractmethod
    def select_action(self, observation: TextArenaObservation) -> str:
        """Return the message to say; `observation` is what the player reads on its turn."""

"""What a policy is, and the two that know nothing of the game."""

from __future__ import annotations

from abc import ABC, abstractmethod
from random import Random

from ..models import SIMULTANEOUS, OpenSpielAction, OpenSpielObservation


class Policy(ABC):
    """Chooses the agent's moves.

    Args:
        seed: decides the policy's own random choices. None: a fresh one.

    Attributes:
        name: what a table of results calls it.
    """

    name: str

    def __init__(self, seed: int | str | None = None) -> None:
        self.rng = Random(seed)

    @abstractmethod
    def select_action(self, observation: OpenSpielObservation) -> int:
        """Return one of the observation's `legal_actions`, of which there is at least one."""

    def act(self, observation: OpenSpielObservation) -> OpenSpielAction:
        """Return the action to send: one move, or where the client plays every seat and all move at once, one for each."""
        if observation.current_player_id != SIMULTANEOUS:
            return OpenSpielAction(action_id=self.select_action(observation))
        views = [observation.seen_by(seat) for seat in range(len(observation.players))]
        return OpenSpielAction(action_ids=[self.select_action(view) if view.legal_actions else 0 for view in views])

    def observe(self, reward: float, done: bool) -> None:  # noqa: B027 - only those that learn need it
        """Take note of what the last action brought and whether the episode ended with it; by default forgets it."""


class RandomPolicy(Policy):
    """Any legal move, each as likely."""

    name = "Random"

    def select_action(self, observation: OpenSpielObservation) -> int:
        return self.rng.choice(observation.legal_actions)


class FirstLegalPolicy(Policy):
    """The legal move with the lowest number."""

    name = "First legal"

    def select_action(self, observation: OpenSpielObservation) -> int:
        return observation.legal_actions[0]

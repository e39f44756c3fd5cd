"""Policies for `catch`: a ball falls through five columns; the paddle below moves left (0), stays (1) or moves right (2)."""

from __future__ import annotations

from ..models import OpenSpielObservation
from .policy import Policy

LEFT, STAY, RIGHT = 0, 1, 2
COLUMNS = 5


class AlwaysStayPolicy(Policy):
    """Never moves the paddle; catches what falls into the middle."""

    name = "Always stay"

    def select_action(self, observation: OpenSpielObservation) -> int:
        return STAY


class SmartCatchPolicy(Policy):
    """Moves the paddle under the ball, which catches every one."""

    name = "Smart"

    def select_action(self, observation: OpenSpielObservation) -> int:
        grid = observation.info_state
        ball = grid.index(1.0) % COLUMNS
        paddle = grid.index(1.0, len(grid) - COLUMNS) % COLUMNS
        return LEFT if ball < paddle else RIGHT if ball > paddle else STAY


class LearningPolicy(Policy):
    """A picture of learning: explores less and less, and plays the smart move otherwise.

    The share of random moves falls from 1 to 0.1 over the first 90 moves, `max(0.1, 1 - moves / 100)`.
    """

    name = "Learning"

    def __init__(self, seed: int | str | None = None) -> None:
        super().__init__(seed)
        self._moves = 0
        self._smart = SmartCatchPolicy(seed)

    def select_action(self, observation: OpenSpielObservation) -> int:
        self._moves += 1
        if self.rng.random() < max(0.1, 1 - self._moves / 100):
            return self.rng.choice(observation.legal_actions)
        return self._smart.select_action(observation)

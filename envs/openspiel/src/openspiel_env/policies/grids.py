"""Policies for `cliff_walking` and `2048`."""

from __future__ import annotations

from ..models import OpenSpielObservation
from .policy import Policy

RIGHT, UP, DOWN = 0, 1, 3
WIDTH = 8
SAFE_PATH = (UP, *(RIGHT,) * (WIDTH - 1), DOWN)

CORNER_ORDER = (2, 3, 1, 0)
"""Moves of 2048 (0 up, 1 right, 2 down, 3 left): down and left gather the large tiles in one corner."""


class SafePathPolicy(Policy):
    """Walks up, along the cliff's edge and down to the goal: the shortest way that does not fall."""

    name = "Safe path"

    def select_action(self, observation: OpenSpielObservation) -> int:
        moves_so_far = int(sum(observation.info_state))
        return SAFE_PATH[min(moves_so_far, len(SAFE_PATH) - 1)]


class CornerPolicy(Policy):
    """Gathers tiles in the lower left corner, and moves right or up only when nothing else is legal."""

    name = "Corner"

    def select_action(self, observation: OpenSpielObservation) -> int:
        return next(move for move in CORNER_ORDER if move in observation.legal_actions)

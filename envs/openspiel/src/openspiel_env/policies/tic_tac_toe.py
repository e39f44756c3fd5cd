"""A policy for `tic_tac_toe`, whose squares are numbered 0 to 8, row by row."""

from __future__ import annotations

from ..models import OpenSpielObservation
from .policy import Policy

LINES = ((0, 1, 2), (3, 4, 5), (6, 7, 8), (0, 3, 6), (1, 4, 7), (2, 5, 8), (0, 4, 8), (2, 4, 6))
PREFERENCE = (4, 0, 2, 6, 8, 1, 3, 5, 7)
"""The middle, then the corners, then the sides."""


class TacticalTicTacToePolicy(Policy):
    """Completes a line where it can, else blocks one, else takes the middle, a corner, a side."""

    name = "Tactical"

    def select_action(self, observation: OpenSpielObservation) -> int:
        squares = observation.info_state
        noughts, crosses = squares[9:18], squares[18:27]
        own, other = (crosses, noughts) if observation.current_player_id == 0 else (noughts, crosses)
        free = observation.legal_actions
        for marks in (own, other):
            for square in free:
                if any(square in line and sum(marks[at] for at in line) == 2 for line in LINES):
                    return square
        return next(square for square in PREFERENCE if square in free)

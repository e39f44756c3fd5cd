"""Policies for `kuhn_poker` (0 passes, 1 bets) and `blackjack` (0 hits, 1 stands)."""

from __future__ import annotations

from ..models import OpenSpielObservation
from .policy import Policy

PASS, BET = 0, 1
HIT, STAND = 0, 1
CARDS = 52


class EquilibriumKuhnPolicy(Policy):
    """Plays an equilibrium of two-player Kuhn poker: no opponent beats it in the long run.

    The first seat bluffs with the jack one time in three, always bets the king, and calls with the queen two times in
    three; the second bluffs with the jack and calls with the queen one time in three (Kuhn 1950, with α = 1/3).
    """

    name = "Equilibrium"

    def select_action(self, observation: OpenSpielObservation) -> int:
        seen = observation.info_state
        card = seen[2:5].index(1.0)
        facing_bet = any(seen[6:11:2])
        if card == 2:
            chance = 1.0
        elif card == 1:
            chance = 0.0 if not facing_bet else 2 / 3 if seen[0] else 1 / 3
        else:
            chance = 0.0 if facing_bet else 1 / 3
        return BET if self.rng.random() < chance else PASS


class AggressiveKuhnPolicy(Policy):
    """Bets whatever it holds, and folds nothing but the jack: the best answer to an opponent who plays at random."""

    name = "Aggressive"

    def select_action(self, observation: OpenSpielObservation) -> int:
        seen = observation.info_state
        return PASS if seen[2] and any(seen[6:11:2]) else BET


class BasicBlackjackPolicy(Policy):
    """Hits and stands by the dealer's open card, as the basic strategy without doubling or splitting does."""

    name = "Basic strategy"

    def select_action(self, observation: OpenSpielObservation) -> int:
        own, dealer = observation.info_state[-2 * CARDS : -CARDS], observation.info_state[-CARDS:]
        total, soft = _hand(own)
        shown, _ = _hand(dealer)
        if soft:
            enough = 19 if shown >= 9 else 18
        elif shown > 6:
            enough = 17
        else:
            enough = 12 if shown >= 4 else 13
        return STAND if total >= enough else HIT


def _hand(cards: list[float]) -> tuple[int, bool]:
    """Return a hand's best total, and whether an ace counts 11 in it. Cards stand suit by suit, ace to king."""
    values = [min(number % 13 + 1, 10) for number, held in enumerate(cards) if held]
    soft = 1 in values and sum(values) <= 11
    return sum(values) + 10 * soft, soft

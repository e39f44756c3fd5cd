"""One game in progress, as the agent's seat sees it."""

from __future__ import annotations

from random import Random

import pyspiel

from .games import Game
from .opponents import Opponent

CHANCE = int(pyspiel.PlayerId.CHANCE)
TERMINAL = int(pyspiel.PlayerId.TERMINAL)


class Match:
    """A game from its first move to its end; chance and the opponents move until it is the agent's turn.

    Attributes:
        legal_actions: what the agent may do now, in rising order; empty once the game is over.
        over: whether the game has ended.
        opponent_last_action: the opponents' most recent move; None before it, and where the rules hide it.
    """

    def __init__(self, game: Game, seat: int, opponent: Opponent, rng: Random) -> None:
        self.legal_actions: list[int] = []
        self.over = False
        self.opponent_last_action: int | None = None
        self._game = game
        self._seat = seat
        self._opponent = opponent
        self._rng = rng
        self._paid = 0.0
        self._state = game.spiel.new_initial_state()
        self._see = self._state.information_state_tensor if game.has_information_state else self._state.observation_tensor
        self._advance()

    @property
    def current_player(self) -> int:
        """The agent's seat, or -4 once the game is over."""
        return int(self._state.current_player())

    def play(self, action: int) -> None:
        """Make the agent's move, one of `legal_actions`, and let the others move."""
        self._state.apply_action(action)
        self._advance()

    def info_state(self) -> list[float]:
        """Return what the agent's seat knows, as a flat tensor."""
        seen: list[float] = self._see(self._seat)
        return seen

    def collect(self) -> float:
        """Return what the agent's seat was paid since the last call; the calls of an episode sum to its return."""
        if not (self.over or self._game.pays_on_the_way):
            return 0.0
        total = float(self._state.returns()[self._seat])
        reward = total - self._paid
        self._paid = total
        return reward

    def picture(self) -> str | None:
        """Return the game in text as the agent's seat sees it, or None where the game has no such view."""
        kind = self._game.spiel.get_type()
        if kind.provides_observation_string:
            return str(self._state.observation_string(self._seat))
        if kind.provides_information_state_string:
            return str(self._state.information_state_string(self._seat))
        hides_nothing = kind.information == pyspiel.GameType.Information.PERFECT_INFORMATION
        return str(self._state) if hides_nothing else None

    def _advance(self) -> None:
        state = self._state
        while (player := state.current_player()) != self._seat:
            if player == TERMINAL:
                self.over = True
                self.legal_actions = []
                return
            if player == CHANCE:
                actions, probabilities = zip(*state.chance_outcomes(), strict=True)
                state.apply_action(self._rng.choices(actions, probabilities)[0])
            else:
                action = self._opponent(state.legal_actions(), self._rng)
                state.apply_action(action)
                if self._game.moves_are_public:
                    self.opponent_last_action = action
        self.legal_actions = state.legal_actions()

"""A policy that learns any of the games from its rewards alone."""

from __future__ import annotations

from ..models import OpenSpielObservation
from .policy import Policy


class Mean:
    """A running mean of what followed one choice."""

    __slots__ = ("count", "value")

    def __init__(self) -> None:
        self.count = 0
        self.value = 0.0

    def add(self, sample: float) -> None:
        self.count += 1
        self.value += (sample - self.value) / self.count


class TabularPolicy(Policy):
    """Keeps, for every state it has met, the mean return that followed each move, and mostly plays the best one.

    First-visit Monte Carlo control with ε-greedy exploration (Sutton and Barto, Reinforcement Learning, 2nd ed., 5.4).
    Hand every step's reward to `observe`: it learns when an episode ends, and forgets one that was given up.
    A move that is new in a state is judged by what it brought everywhere else.

    Args:
        seed: decides which moves are tried. None: a fresh one.
        exploration: share of random moves in the first episode; in episode n it is `exploration / n ** 0.5`. Default 0.5.
    """

    name = "Learner"

    def __init__(self, seed: int | str | None = None, exploration: float = 0.5) -> None:
        super().__init__(seed)
        self._exploration = exploration
        self._episodes = 0
        self._in_state: dict[tuple[tuple[float, ...], int], Mean] = {}
        self._anywhere: dict[int, Mean] = {}
        self._path: list[tuple[tuple[float, ...], int]] = []
        self._rewards: list[float] = []

    def select_action(self, observation: OpenSpielObservation) -> int:
        if observation.game_phase == "initial":
            self._path.clear()
            self._rewards.clear()
        seen = tuple(observation.info_state)
        legal = observation.legal_actions
        if self.rng.random() < self._exploration / (self._episodes + 1) ** 0.5:
            action = self.rng.choice(legal)
        else:
            values = [self._value(seen, action) for action in legal]
            best = max(values)
            action = self.rng.choice([action for action, value in zip(legal, values, strict=True) if value == best])
        self._path.append((seen, action))
        return action

    def observe(self, reward: float, done: bool) -> None:
        self._rewards.append(reward)
        if done:
            self._learn()

    def _value(self, seen: tuple[float, ...], action: int) -> float:
        known = self._in_state.get((seen, action)) or self._anywhere.get(action)
        return 0.0 if known is None else known.value

    def _learn(self) -> None:
        following = 0.0
        first_visits: dict[tuple[tuple[float, ...], int], float] = {}
        for choice, reward in zip(reversed(self._path), reversed(self._rewards), strict=True):
            following += reward
            first_visits[choice] = following
        for choice, total in first_visits.items():
            self._in_state.setdefault(choice, Mean()).add(total)
            self._anywhere.setdefault(choice[1], Mean()).add(total)
        self._episodes += 1

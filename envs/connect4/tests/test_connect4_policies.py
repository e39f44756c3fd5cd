"""Policies: what each is for, it does; minimax is held against OpenSpiel's own search."""

from __future__ import annotations

from random import Random
from typing import Any

import pyspiel
import pytest
from open_spiel.python.algorithms.minimax import alpha_beta_search

from connect4_env import Connect4Action, Connect4Observation
from connect4_env.policies import MinimaxPolicy, Policy, RandomPolicy
from connect4_env.server.environment import Connect4Environment

GAME = pyspiel.load_game("connect_four")


def worth(state: Any, depth: int) -> int:
    """What OpenSpiel's search says that a position is worth to the side that began; what lies beyond the depth counts 0."""
    if state.is_terminal():
        return int(state.returns()[0])
    value, _ = alpha_beta_search(GAME, state.clone(), lambda _: 0, maximum_depth=depth, maximizing_player_id=0)
    return int(value)


def exhaustive(state: Any, depth: int) -> int:
    """What a position is worth to the side to move by going through every game of `depth` stones, sooner ends counting more."""
    if state.is_terminal():
        return 0 if state.returns()[0] == 0 else -1 - depth
    if depth == 0:
        return 0
    return max(-exhaustive(state.child(column), depth - 1) for column in state.legal_actions())


def position(rng: Random, stones: int) -> tuple[Connect4Environment, Connect4Observation, Any]:
    """Return a game after that many random stones, none of which ended it, with OpenSpiel's state of the same."""
    while True:
        environment, state = Connect4Environment(), GAME.new_initial_state()
        observation = environment.reset()
        for _ in range(stones):
            if not observation.done:
                column = rng.choice(observation.legal_actions)
                observation = environment.step(Connect4Action(column=column))
                state.apply_action(column)
        if not observation.done:
            return environment, observation, state


def returns(policy: Policy, episodes: int, **options: Any) -> list[float]:
    environment, found = Connect4Environment(), []
    for seed in range(episodes):
        observation = environment.reset(seed=seed, **options)
        while not observation.done:
            observation = environment.step(Connect4Action(column=policy.select_action(observation)))
        found.append(observation.reward or 0.0)
    return found


@pytest.mark.parametrize(("depth", "positions"), [(1, 60), (2, 60), (3, 40), (4, 30)])
def test_minimax_finds_the_best_column(depth: int, positions: int) -> None:
    rng, decided = Random(depth), 0
    for number in range(positions):
        _, observation, state = position(rng, 4 + number % 24)
        worths = {column: -exhaustive(state.child(column), depth - 1) for column in observation.legal_actions}
        best = max(worths.values())
        assert worths[MinimaxPolicy(number, depth).select_action(observation)] == best
        decided += min(worths.values()) < best
    assert decided > positions / 10, "too few positions in which a wrong column could be chosen"


@pytest.mark.parametrize(("side", "depth"), [(1, 5), (-1, 4)], ids=["soonest win", "latest loss"])
def test_minimax_hurries_to_win_and_is_slow_to_lose(side: int, depth: int) -> None:
    """Only positions in which columns win, or lose, that differ in nothing but how soon."""
    rng, found = Random(depth), 0
    while found < 8:
        _, observation, state = position(rng, 14)
        if worth(state, depth) != side * observation.current_player:
            continue
        worths = {column: -exhaustive(state.child(column), depth - 1) for column in observation.legal_actions}
        if len({value for value in worths.values() if value * side > 0}) > 1:
            found += 1
            assert worths[MinimaxPolicy(found, depth).select_action(observation)] == max(worths.values())


@pytest.mark.long
@pytest.mark.parametrize(("depth", "positions"), [(6, 200), (8, 100)])
def test_minimax_makes_no_mistake_within_a_greater_depth(depth: int, positions: int) -> None:
    rng, decided = Random(depth), 0
    for number in range(positions):
        _, observation, state = position(rng, 6 + number % 24)
        column = MinimaxPolicy(number, depth).select_action(observation)
        best = worth(state, depth)
        assert worth(state.child(column), depth - 1) == best
        decided += best != 0
    assert decided > positions / 4, "too few positions in which there was anything to find"


@pytest.mark.parametrize(("left", "positions"), [(9, 40), pytest.param(10, 300, marks=pytest.mark.long)])
def test_two_that_see_to_the_end_reach_what_the_position_is_worth(left: int, positions: int) -> None:
    rng, outcomes = Random(left), set()
    for seed in range(positions):
        environment, observation, state = position(rng, 42 - left)
        expected = worth(state, left)
        policy = MinimaxPolicy(seed, depth=left)
        while not observation.done:
            observation = environment.step(Connect4Action(column=policy.select_action(observation)))
        assert observation.winner == expected
        outcomes.add(expected)
    assert outcomes == {1, 0, -1}


@pytest.mark.parametrize("agent_first", [True, False])
def test_minimax_beats_chance(agent_first: bool) -> None:
    by_chance = returns(RandomPolicy(0), 100, opponent_policy="random", agent_first=agent_first)
    by_minimax = returns(MinimaxPolicy(0), 100, opponent_policy="random", agent_first=agent_first)
    assert abs(sum(by_chance)) < 50
    assert sum(by_minimax) >= 97


@pytest.mark.parametrize("opponent", [MinimaxPolicy, RandomPolicy])
def test_a_policy_repeats_itself_by_seed(opponent: type[Policy]) -> None:
    options = {"opponent_policy": "random"}
    assert returns(opponent(1), 5, **options) == returns(opponent(1), 5, **options)
    assert len({opponent(seed).name for seed in range(3)}) == 1

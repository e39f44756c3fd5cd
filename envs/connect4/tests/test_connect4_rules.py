"""The rules agree with OpenSpiel's `connect_four`, stone by stone."""

from __future__ import annotations

from random import Random
from typing import Any

import pyspiel
import pytest

from connect4_env import Connect4Action, Connect4Observation
from connect4_env.server.environment import Connect4Environment

STONES = {"x": 1, "o": -1, ".": 0}
GAMES = [pytest.param(300, id="300"), pytest.param(10_000, id="10000", marks=pytest.mark.long)]


def agrees(environment: Connect4Environment, observation: Connect4Observation, oracle: Any) -> None:
    """Fail unless what the environment says of a position is what OpenSpiel says of it."""
    assert observation.legal_actions == oracle.legal_actions()
    assert observation.done == observation.terminated == oracle.is_terminal()
    returns = oracle.returns()
    assert returns[1] == -returns[0]
    assert observation.winner == (returns[0] if oracle.is_terminal() else None)
    state = environment.state
    assert state.board == [[STONES[mark] for mark in line] for line in str(oracle).split()]
    assert state.next_player == (-1 if oracle.move_number() % 2 else 1)
    assert oracle.is_terminal() or state.next_player == (1, -1)[oracle.current_player()]


@pytest.mark.parametrize("games", GAMES)
def test_agrees_with_openspiel_on_random_games(games: int) -> None:
    environment, rng, game = Connect4Environment(), Random(games), pyspiel.load_game("connect_four")
    winners = []
    for _ in range(games):
        observation, oracle = environment.reset(), game.new_initial_state()
        agrees(environment, observation, oracle)
        while not observation.done:
            column, mover = rng.choice(observation.legal_actions), oracle.current_player()
            observation = environment.step(Connect4Action(column=column))
            oracle.apply_action(column)
            agrees(environment, observation, oracle)
            assert observation.reward == oracle.returns()[mover]
        winners.append(observation.winner)
    assert set(winners) >= {1, -1}


def test_agrees_with_openspiel_on_games_that_fill_the_board() -> None:
    """Random games seldom end in a draw, so these choose stones that do not win, where there are such."""
    environment, rng, game = Connect4Environment(), Random(0), pyspiel.load_game("connect_four")
    draws = 0
    for _ in range(60):
        observation, oracle = environment.reset(), game.new_initial_state()
        while not observation.done:
            legal = observation.legal_actions
            column = rng.choice([each for each in legal if not oracle.child(each).is_terminal()] or legal)
            observation = environment.step(Connect4Action(column=column))
            oracle.apply_action(column)
            agrees(environment, observation, oracle)
        draws += observation.winner == 0
        assert observation.winner != 0 or (observation.reward == 0.0 and environment.state.step_count == 42)
    assert draws > 10

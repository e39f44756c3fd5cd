"""What a seed decides, and what nothing here may touch."""

from __future__ import annotations

import random

import pytest

from openspiel_env import OpenSpielAction
from openspiel_env.server.environment import OpenSpielEnvironment

GAMES = ("catch", "tic_tac_toe", "kuhn_poker", "cliff_walking", "2048", "blackjack")
WITH_CHANCE_OR_OPPONENT = tuple(game for game in GAMES if game != "cliff_walking")


def played(environment: OpenSpielEnvironment, seed: int | None, game: str) -> list[str]:
    """Return an episode's observations as bytes on the wire would be; the agent cycles through its moves."""
    observation = environment.reset(seed=seed, game_name=game)
    seen = [observation.model_dump_json()]
    while not observation.done:
        legal = observation.legal_actions
        observation = environment.step(OpenSpielAction(action_id=legal[len(seen) % len(legal)]))
        seen.append(observation.model_dump_json())
    return seen


@pytest.mark.parametrize("game", GAMES)
def test_the_same_seed_gives_the_same_episode(game: str) -> None:
    used = OpenSpielEnvironment(game_name="tic_tac_toe")
    played(used, 99, "tic_tac_toe")
    for seed in (0, 7, 2**40):
        assert played(used, seed, game) == played(OpenSpielEnvironment(), seed, game)


@pytest.mark.parametrize("game", WITH_CHANCE_OR_OPPONENT)
def test_different_seeds_give_different_episodes(game: str) -> None:
    environment = OpenSpielEnvironment()
    assert len({tuple(played(environment, seed, game)) for seed in range(20)}) > 3
    assert len({tuple(played(environment, None, game)) for _ in range(20)}) > 3


def test_a_seed_and_its_negative_differ() -> None:
    environment = OpenSpielEnvironment()
    assert played(environment, 1, "2048") != played(environment, -1, "2048")


@pytest.mark.parametrize("game", GAMES)
def test_the_generator_of_the_process_is_neither_read_nor_moved(game: str) -> None:
    environment = OpenSpielEnvironment()
    random.seed(1)
    before = random.getstate()
    first = played(environment, 5, game)
    played(environment, None, game)
    assert random.getstate() == before
    random.seed(2)
    assert played(environment, 5, game) == first

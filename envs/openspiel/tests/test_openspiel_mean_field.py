"""Mean-field games: the agent is one of a population that plays one policy."""

from __future__ import annotations

from random import Random
from statistics import mean, stdev

import pytest
from open_spiel.python.mfg.algorithms.distribution import DistributionPolicy
from open_spiel.python.mfg.algorithms.policy_value import PolicyValue
from open_spiel.python.policy import FirstActionPolicy, UniformRandomPolicy

from openspiel_env import OpenSpielAction
from openspiel_env.server import games
from openspiel_env.server.crowd import Crowd
from openspiel_env.server.environment import OpenSpielEnvironment

GAMES = ("mfg_crowd_modelling", "mfg_crowd_modelling_2d", "mfg_dynamic_routing", "mfg_garnet")


@pytest.mark.parametrize("population", ["random", "first"])
def test_a_random_agent_gets_what_openspiel_computes_that_it_gets(population: str) -> None:
    game = games.load("mfg_garnet").spiel
    agent = UniformRandomPolicy(game)
    others = agent if population == "random" else FirstActionPolicy(game)
    expected = PolicyValue(game, DistributionPolicy(game, others), agent).value(game.new_initial_state())

    environment, rng = OpenSpielEnvironment(game_name="mfg_garnet", opponent_policy=population), Random(0)
    returns = []
    for seed in range(400):
        observation, total = environment.reset(seed=seed), 0.0
        while not observation.done:
            observation = environment.step(OpenSpielAction(action_id=rng.choice(observation.legal_actions)))
            total += observation.reward or 0.0
        returns.append(total)
    assert abs(mean(returns) - expected) < 4 * stdev(returns) / len(returns) ** 0.5


@pytest.mark.parametrize("game", GAMES)
@pytest.mark.parametrize("population", ["random", "first"])
def test_the_population_spreads_as_openspiel_computes_it(game: str, population: str) -> None:
    loaded = games.load(game)
    plays = UniformRandomPolicy(loaded.spiel) if population == "random" else FirstActionPolicy(loaded.spiel)
    expected = DistributionPolicy(loaded.spiel, plays).distribution
    found = Crowd(loaded, population).spread_over(list(expected))
    assert len(expected) > 20
    assert found == pytest.approx(list(expected.values()), abs=1e-12)


@pytest.mark.parametrize("game", GAMES)
def test_a_seed_decides_the_episode(game: str) -> None:
    def episode(seed: int) -> list[str]:
        environment = OpenSpielEnvironment(game_name=game)
        observation = environment.reset(seed=seed)
        seen = [observation.model_dump_json()]
        while not observation.done:
            observation = environment.step(OpenSpielAction(action_id=observation.legal_actions[-1]))
            seen.append(observation.model_dump_json())
        return seen

    assert episode(1) == episode(1)

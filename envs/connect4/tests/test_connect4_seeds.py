"""What a seed decides, and what nothing here may touch."""

from __future__ import annotations

import random
from typing import Any

import pytest

from connect4_env import Connect4Action
from connect4_env.server.environment import Connect4Environment

AGAINST_RANDOM = {"opponent_policy": "random", "agent_first": False}
AGAINST_MINIMAX = {"opponent_policy": "minimax", "opponent_depth": 3, "agent_first": True}
ALONE = {"opponent_policy": "none"}


def played(environment: Connect4Environment, seed: int | None, options: dict[str, Any]) -> list[str]:
    """Return an episode's observations as bytes on the wire would be; the agent cycles through its moves."""
    observation = environment.reset(seed=seed, **options)
    seen = [observation.model_dump_json()]
    while not observation.done:
        legal = observation.legal_actions
        observation = environment.step(Connect4Action(column=legal[len(seen) % len(legal)]))
        seen.append(observation.model_dump_json())
    return seen


@pytest.mark.parametrize("options", [AGAINST_RANDOM, AGAINST_MINIMAX, ALONE], ids=lambda options: options["opponent_policy"])
def test_the_same_seed_gives_the_same_episode(options: dict[str, Any]) -> None:
    used = Connect4Environment()
    played(used, 99, AGAINST_RANDOM)
    for seed in (0, 7, -7, 2**40):
        assert played(used, seed, options) == played(Connect4Environment(), seed, options)


def test_different_seeds_give_different_episodes() -> None:
    environment = Connect4Environment()
    assert len({tuple(played(environment, seed, AGAINST_RANDOM)) for seed in range(20)}) > 15
    assert len({tuple(played(environment, None, AGAINST_RANDOM)) for _ in range(20)}) > 15
    assert played(environment, 1, AGAINST_RANDOM) != played(environment, -1, AGAINST_RANDOM)
    assert len({tuple(played(environment, seed, AGAINST_MINIMAX)) for seed in range(20)}) > 1


def test_the_generator_of_the_process_is_neither_read_nor_moved() -> None:
    environment = Connect4Environment()
    random.seed(1)
    before = random.getstate()
    first = played(environment, 5, AGAINST_RANDOM)
    played(environment, None, AGAINST_RANDOM)
    assert random.getstate() == before
    random.seed(2)
    assert played(environment, 5, AGAINST_RANDOM) == first

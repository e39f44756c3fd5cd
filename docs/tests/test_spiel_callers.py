"""The calls of torchforge and Unsloth: a synchronous client of board games."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from serving import running

from openspiel_env import OpenSpielAction, OpenSpielEnv


@pytest.fixture(scope="module")
def spiel_url() -> Iterator[str]:
    from openspiel_env.server.app import app

    with running(app) as url:
        yield url


@pytest.mark.parametrize("game", ["blackjack", "2048"])
def test_a_synchronous_game(game: str, spiel_url: str) -> None:
    env: Any = OpenSpielEnv(base_url=spiel_url)
    result = env.reset(game_name=game)
    for _ in range(200):
        if result.done:
            break
        observation = result.observation
        assert len(observation.info_state) > 0
        result = env.step(OpenSpielAction(action_id=observation.legal_actions[0], game_name=game))
        assert result.reward is not None
    env.close()
    assert result.done or game == "2048"

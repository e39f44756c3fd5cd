"""Nothing reaches the agent that the rules hide from its seat."""

from __future__ import annotations

from collections import defaultdict

import pytest

from openspiel_env import OpenSpielAction
from openspiel_env.server.environment import OpenSpielEnvironment

PASS = 0


@pytest.mark.parametrize("seat", [0, 1])
def test_kuhn_poker_does_not_tell_the_opponents_card(seat: int) -> None:
    """Deals in which the agent holds the same card look alike to the end, whatever the opponent holds."""
    environment = OpenSpielEnvironment(game_name="kuhn_poker", agent_player=seat, opponent_policy="first")
    views: dict[int, set[str]] = defaultdict(set)
    rewards: dict[int, set[float | bool | None]] = defaultdict(set)
    for seed in range(100):
        observation = environment.reset(seed=seed)
        card = observation.info_state[2:5].index(1.0)
        shown = [observation.model_dump_json(), environment.render()["text/plain"]]
        observation = environment.step(OpenSpielAction(action_id=PASS))
        shown.append(observation.model_dump_json(exclude={"reward"}))
        views[card].add("\n".join(shown))
        rewards[card].add(observation.reward)
    assert rewards == {0: {-1.0}, 1: {-1.0, 1.0}, 2: {1.0}}, "with the queen, the opponent's card must have varied"
    assert {card: len(seen) for card, seen in views.items()} == {0: 1, 1: 1, 2: 1}


def test_blackjack_keeps_the_dealers_first_card_until_the_agent_stands() -> None:
    environment = OpenSpielEnvironment(game_name="blackjack")
    for seed in range(20):
        observation = environment.reset(seed=seed)
        assert sum(observation.info_state[-52:]) == 1
        assert "Dealer: Cards: ??" in environment.render()["text/plain"]
        observation = environment.step(OpenSpielAction(action_id=1))
        assert sum(observation.info_state[-52:]) >= 2


def test_moves_that_the_rules_hide_are_not_told() -> None:
    environment = OpenSpielEnvironment(game_name="phantom_ttt", opponent_policy="first")
    environment.reset(seed=1)
    observation = environment.step(OpenSpielAction(action_id=8))
    assert observation.current_player_id == 0, "the opponent has moved"
    assert observation.opponent_last_action is None
    environment.reset(game_name="tic_tac_toe")
    assert environment.step(OpenSpielAction(action_id=8)).opponent_last_action == 0

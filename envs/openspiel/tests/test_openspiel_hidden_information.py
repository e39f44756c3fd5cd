"""Nothing reaches the agent that the rules hide from its seat."""

from __future__ import annotations

from collections import defaultdict

import pytest

from openspiel_env import OpenSpielAction
from openspiel_env.policies import RandomPolicy
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


@pytest.mark.parametrize(
    ("game", "deals"),
    [
        ("kuhn_poker", 100),
        ("leduc_poker", 200),
        ("liars_dice", 200),
        ("first_sealed_auction", 200),
        ("tiny_hanabi", 50),
        ("goofspiel(imp_info=True,num_cards=3)", 100),
        ("dark_hex(board_size=2)", 50),
        ("phantom_ttt", 200),
    ],
)
def test_what_a_seat_is_sent_follows_from_what_it_knows(game: str, deals: int) -> None:
    """Wherever two games agree in a seat's information state and moves, they agree in all that the seat is sent."""
    environment, policy = OpenSpielEnvironment(game_name=game, opponent_policy="none"), RandomPolicy(0)
    sent: dict[tuple[int, tuple[float, ...]], set[str]] = defaultdict(set)
    others: dict[tuple[int, tuple[float, ...]], set[tuple[float, ...]]] = defaultdict(set)
    for seed in range(deals):
        observation = environment.reset(seed=seed)
        while not observation.done:
            for seat, view in enumerate(observation.players):
                known = seat, (*view.info_state, *view.legal_actions_mask)
                sent[known].add(observation.seen_by(seat).model_dump_json(exclude={"reward", "game_phase"}))
                others[known].add(tuple(observation.players[1 - seat].info_state))
            observation = environment.step(policy.act(observation))
    assert [len(each) for each in sent.values()] == [1] * len(sent)
    assert max(map(len, others.values())) > 1, "the other seat knows what this one does not"


def test_who_moves_second_does_not_see_the_first_move_where_both_count_as_at_once() -> None:
    name = "turn_based_simultaneous_game(game=goofspiel(num_cards=4))"
    environment = OpenSpielEnvironment(game_name=name, agent_player=1, opponent_policy="first")
    first = environment.reset(seed=2)
    last = environment.reset(seed=2, opponent_policy="last")
    assert first == last


def test_simultaneous_opponents_choose_without_sight_of_the_agents_move() -> None:
    environment = OpenSpielEnvironment(game_name="matrix_rps")
    answers = set()
    for move in range(3):
        environment.reset(seed=7)
        answers.add(environment.step(OpenSpielAction(action_id=move)).opponent_last_action)
    assert len(answers) == 1

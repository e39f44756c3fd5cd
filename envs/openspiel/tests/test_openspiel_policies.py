"""Policies: what each is for, it does."""

from __future__ import annotations

import pytest

from openspiel_env import OpenSpielAction, OpenSpielObservation
from openspiel_env.policies import (
    AggressiveKuhnPolicy,
    AlwaysStayPolicy,
    BasicBlackjackPolicy,
    CornerPolicy,
    EquilibriumKuhnPolicy,
    LearningPolicy,
    Policy,
    RandomPolicy,
    SafePathPolicy,
    SmartCatchPolicy,
    TabularPolicy,
    TacticalTicTacToePolicy,
    policies_for,
)
from openspiel_env.server.environment import OpenSpielEnvironment

GAMES = ("catch", "tic_tac_toe", "kuhn_poker", "cliff_walking", "2048", "blackjack")


def returns(policy: Policy, game: str, episodes: int, seat: int = 0) -> list[float]:
    environment = OpenSpielEnvironment(game_name=game, agent_player=seat)
    found = []
    for seed in range(episodes):
        observation, total = environment.reset(seed=seed), 0.0
        while not observation.done:
            observation = environment.step(OpenSpielAction(action_id=policy.select_action(observation)))
            policy.observe(observation.reward or 0.0, observation.done)
            total += observation.reward or 0.0
        found.append(total)
    return found


def mean(values: list[float]) -> float:
    return sum(values) / len(values)


def test_the_smart_policy_catches_every_ball() -> None:
    assert set(returns(SmartCatchPolicy(), "catch", 100)) == {1.0}


def test_always_staying_catches_what_falls_into_the_middle() -> None:
    caught = returns(AlwaysStayPolicy(), "catch", 500).count(1.0) / 500
    assert 0.1 < caught < 0.3


def test_the_learning_policy_gets_better() -> None:
    results = returns(LearningPolicy(seed=0), "catch", 200)
    assert mean(results[:5]) < mean(results[-100:])
    assert results[-100:].count(1.0) > 85


@pytest.mark.parametrize(
    ("policy", "game", "seat", "episodes"),
    [
        (TacticalTicTacToePolicy(0), "tic_tac_toe", 0, 200),
        (TacticalTicTacToePolicy(0), "tic_tac_toe", 1, 200),
        (AggressiveKuhnPolicy(0), "kuhn_poker", 0, 300),
        (AggressiveKuhnPolicy(0), "kuhn_poker", 1, 300),
        (BasicBlackjackPolicy(0), "blackjack", 0, 300),
        (CornerPolicy(0), "2048", 0, 20),
    ],
    ids=lambda value: getattr(value, "name", str(value)),
)
def test_a_policy_made_for_a_game_beats_chance_clearly(policy: Policy, game: str, seat: int, episodes: int) -> None:
    by_chance = mean(returns(RandomPolicy(0), game, episodes, seat))
    assert mean(returns(policy, game, episodes, seat)) > by_chance + 0.2 * max(1.0, abs(by_chance))


def board(crosses: set[int], noughts: set[int], seat: int) -> OpenSpielObservation:
    free = [square for square in range(9) if square not in crosses | noughts]
    planes = [set(free), noughts, crosses]
    flat = [float(square in plane) for plane in planes for square in range(9)]
    return OpenSpielObservation(info_state=flat, legal_actions=free, current_player_id=seat)


def test_the_tactical_policy_wins_before_it_blocks_before_it_takes_the_middle() -> None:
    policy = TacticalTicTacToePolicy()
    assert policy.select_action(board({0, 1}, {6, 7}, seat=0)) == 2
    assert policy.select_action(board({0, 1, 5}, {6, 7}, seat=1)) == 8
    assert policy.select_action(board({0, 1}, {3}, seat=1)) == 2
    assert policy.select_action(board({0}, set(), seat=1)) == 4


@pytest.mark.parametrize(
    ("hand", "dealer", "stands"),
    [
        ("K6", "7", False),
        ("K6", "6", True),
        ("K7", "A", True),
        ("J2", "4", True),
        ("J2", "3", False),
        ("Q3", "2", True),
        ("A6", "5", False),
        ("A7", "8", True),
        ("A7", "9", False),
        ("A8", "K", True),
        ("A6K", "K", True),
        ("A5K", "K", False),
        ("92", "6", False),
    ],
)
def test_the_basic_strategy_hits_and_stands_by_the_book(hand: str, dealer: str, stands: bool) -> None:
    ranks = "A23456789TJQK"
    own, shown = [0.0] * 52, [0.0] * 52
    for suit, rank in enumerate(hand):
        own[13 * suit + ranks.index(rank)] = 1.0
    shown[13 * 3 + ranks.index(dealer)] = 1.0
    observation = OpenSpielObservation(info_state=[0.0] * 85 + own + shown, legal_actions=[0, 1])
    assert BasicBlackjackPolicy().select_action(observation) == int(stands)


def test_the_equilibrium_folds_the_jack_and_never_the_king() -> None:
    environment = OpenSpielEnvironment(game_name="kuhn_poker", agent_player=1, opponent_policy="last")
    policy, bets = EquilibriumKuhnPolicy(seed=0), {0: [0, 0], 1: [0, 0], 2: [0, 0]}
    for seed in range(900):
        observation = environment.reset(seed=seed)
        bets[observation.info_state[2:5].index(1.0)][policy.select_action(observation)] += 1
    assert bets[0][1] == bets[2][0] == 0
    assert 0.23 < bets[1][1] / sum(bets[1]) < 0.43


def test_the_safe_path_is_the_shortest() -> None:
    assert returns(SafePathPolicy(), "cliff_walking", 1) == [-9.0]


@pytest.mark.parametrize(("game", "gain"), [("tic_tac_toe", 0.2), ("cliff_walking", 30.0)])
def test_the_learner_learns_from_rewards(game: str, gain: float) -> None:
    results = returns(TabularPolicy(seed=0), game, 1000)
    assert mean(results[-300:]) > mean(results[:100]) + gain


def test_the_learner_forgets_an_episode_that_was_given_up() -> None:
    environment, policy = OpenSpielEnvironment(), TabularPolicy(seed=0)
    environment.step(OpenSpielAction(action_id=policy.select_action(environment.reset(seed=0))))
    policy.observe(0.0, False)
    policy.select_action(environment.reset(seed=1))
    policy.observe(5.0, True)
    assert policy.select_action(environment.reset(seed=1)) in (0, 1, 2)


@pytest.mark.parametrize("game", GAMES)
def test_each_game_has_policies_that_repeat_themselves_by_seed(game: str) -> None:
    episodes = 3
    first = [returns(policy, game, episodes) for policy in policies_for(game, seed=1)]
    assert first == [returns(policy, game, episodes) for policy in policies_for(game, seed=1)]
    assert len(first) >= 4
    assert len({policy.name for policy in policies_for(game, seed=1)}) == len(first)
    assert isinstance(policies_for(game, seed=1)[0], RandomPolicy)


def test_any_other_game_has_policies_too() -> None:
    for policy in policies_for("connect_four", seed=0):
        assert set(returns(policy, "connect_four", 2)) <= {-1.0, 0.0, 1.0}

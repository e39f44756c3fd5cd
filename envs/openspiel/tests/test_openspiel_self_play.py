"""`opponent_policy="none"`: the client plays every seat; and games in which all move at once."""

from __future__ import annotations

from random import Random

import pyspiel
import pytest

from openspiel_env import OpenSpielAction, OpenSpielEnv
from openspiel_env.policies import EquilibriumKuhnPolicy, RandomPolicy
from openspiel_env.server.environment import OpenSpielEnvironment


def test_every_seat_in_its_turn_with_what_each_sees_and_is_paid() -> None:
    environment, rng = OpenSpielEnvironment(game_name="leduc_poker", opponent_policy="none"), Random(0)
    for seed in range(20):
        observation = environment.reset(seed=seed)
        state = pyspiel.load_game("leduc_poker").new_initial_state()
        for view in observation.players:
            state.apply_action(view.info_state[2:8].index(1.0))
        returns = [0.0, 0.0]
        while not observation.done:
            mover = observation.current_player_id
            assert mover == state.current_player()
            assert observation.info_state == observation.players[mover].info_state == state.information_state_tensor(mover)
            assert observation.legal_actions == observation.players[mover].legal_actions == state.legal_actions()
            assert observation.players[1 - mover].legal_actions == []
            assert observation.opponent_last_action is None
            action = rng.choice(observation.legal_actions)
            observation = environment.step(OpenSpielAction(action_id=action))
            state.apply_action(action)
            while state.is_chance_node():
                state.apply_action(observation.players[0].info_state[8:14].index(1.0))
            returns = [total + reward for total, reward in zip(returns, observation.rewards, strict=True)]
        assert returns == state.returns()
        assert observation.reward == observation.rewards[0]
        assert observation.current_player_id == -4


def test_two_equilibrium_players_reach_the_value_of_kuhn_poker() -> None:
    """The first seat loses 1/18 of a chip a game (Kuhn 1950)."""
    environment, policy = OpenSpielEnvironment(game_name="kuhn_poker", opponent_policy="none"), EquilibriumKuhnPolicy(0)
    total, games = 0.0, 12_000
    for seed in range(games):
        observation = environment.reset(seed=seed)
        while not observation.done:
            observation = environment.step(policy.act(observation))
        total += observation.rewards[0]
    assert abs(total / games + 1 / 18) < 0.04


@pytest.mark.parametrize(("moves", "paid"), [([0, 0], [5, 5]), ([0, 1], [0, 10]), ([1, 0], [10, 0]), ([1, 1], [1, 1])])
def test_a_joint_action_through_the_client(moves: list[int], paid: list[float]) -> None:
    with OpenSpielEnv.local().sync() as env:
        observation = env.reset(game_name="matrix_pd", opponent_policy="none").observation
        assert observation.current_player_id == -2
        assert [view.legal_actions for view in observation.players] == [[0, 1], [0, 1]]
        result = env.step(OpenSpielAction(action_ids=moves))
        assert (result.observation.rewards, result.reward, result.done) == (paid, paid[0], True)


def test_where_all_move_at_once_the_opponents_move_with_the_agent() -> None:
    for seat, policy, answer in ((0, "first", 0), (0, "last", 1), (1, "first", 0)):
        environment = OpenSpielEnvironment(game_name="matrix_pd", agent_player=seat, opponent_policy=policy)
        assert environment.reset().legal_actions == [0, 1]
        observation = environment.step(OpenSpielAction(action_id=0))
        assert (observation.reward, observation.opponent_last_action) == ([5.0, 0.0][answer], answer)


def test_a_move_of_the_wrong_shape_changes_nothing() -> None:
    environment = OpenSpielEnvironment(game_name="goofspiel", opponent_policy="none")
    before = environment.reset(seed=1)
    for wrong, message in (
        (OpenSpielAction(action_id=0), "all 2 seats move at once: give action_ids"),
        (OpenSpielAction(action_ids=[0]), "all 2 seats move at once"),
        (OpenSpielAction(action_ids=[0, 13]), "action 13 of seat 1 is not legal now"),
        (OpenSpielAction(action_struct={}), "the moves of goofspiel have numbers"),
    ):
        with pytest.raises(ValueError, match=message):
            environment.step(wrong)
    assert environment.state.step_count == 0
    fresh = OpenSpielEnvironment(game_name="goofspiel", opponent_policy="none")
    assert fresh.reset(seed=1) == before
    joint = OpenSpielAction(action_ids=[3, 5])
    assert fresh.step(joint) == environment.step(joint)
    environment.reset(game_name="tic_tac_toe")
    with pytest.raises(ValueError, match="one seat moves: give action_id"):
        environment.step(OpenSpielAction(action_ids=[0, 1]))


@pytest.mark.parametrize("game", ["goofspiel", "oshi_zumo", "laser_tag", "matching_pennies_3p", "pathfinding"])
def test_a_policy_plays_all_seats_at_once(game: str) -> None:
    environment, policy = OpenSpielEnvironment(game_name=game, opponent_policy="none"), RandomPolicy(0)
    observation = environment.reset(seed=0)
    while not observation.done:
        observation = environment.step(policy.act(observation))
    assert len(observation.rewards) == environment.state.num_players
    assert environment.state.dynamics == "simultaneous"


def test_a_seat_is_shown_what_its_player_would_be_given() -> None:
    alone = OpenSpielEnvironment(game_name="kuhn_poker", opponent_policy="none")
    observation = alone.reset(seed=5)
    assert observation.seen_by(0).model_dump(exclude={"current_player_id"}) == OpenSpielEnvironment(
        game_name="kuhn_poker"
    ).reset(seed=5).model_dump(exclude={"current_player_id"})
    assert alone.render()["text/plain"] == observation.observation_string

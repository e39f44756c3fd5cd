"""The six games, played to their ends and compared with OpenSpiel itself."""

from __future__ import annotations

from random import Random
from typing import Any

import pyspiel
import pytest

from openspiel_env import OpenSpielAction, OpenSpielObservation
from openspiel_env.server.environment import OpenSpielEnvironment

GAMES = ("catch", "tic_tac_toe", "kuhn_poker", "cliff_walking", "2048", "blackjack")


def seen_in(state: Any, seat: int) -> list[float]:
    kind = state.get_game().get_type()
    tensor = state.information_state_tensor if kind.provides_information_state_tensor else state.observation_tensor
    return list(tensor(seat))


def follow(state: Any, observation: OpenSpielObservation, seat: int) -> Any:
    """Return OpenSpiel's own state after the moves of others that explain an observation; fail where none do."""
    if state.is_terminal() or state.current_player() == seat:
        fits = state.is_terminal() == observation.done and seen_in(state, seat) == observation.info_state
        return state if fits else None
    moves = [move for move, _ in state.chance_outcomes()] if state.is_chance_node() else state.legal_actions()
    return next((found for move in moves if (found := follow(state.child(move), observation, seat)) is not None), None)


@pytest.mark.parametrize("game", GAMES)
def test_plays_to_the_end(game: str) -> None:
    environment, rng = OpenSpielEnvironment(game_name=game), Random(game)
    reference = pyspiel.load_game(game)
    for seed in range(10):
        observation = environment.reset(seed=seed)
        assert (observation.game_phase, observation.reward, observation.done) == ("initial", None, False)
        steps = 0
        while not observation.done:
            assert observation.current_player_id == 0
            assert observation.legal_actions
            assert observation.game_phase == ("playing" if steps else "initial")
            observation = environment.step(OpenSpielAction(action_id=rng.choice(observation.legal_actions)))
            assert isinstance(observation.reward, float)
            steps += 1
            assert environment.state.step_count == steps <= reference.max_game_length()
        assert (observation.game_phase, observation.legal_actions, observation.current_player_id) == ("terminal", [], -4)
        assert (observation.terminated, observation.truncated) == (True, None)


@pytest.mark.parametrize(
    ("game", "seat"), [("catch", 0), ("tic_tac_toe", 0), ("tic_tac_toe", 1), ("cliff_walking", 0), ("2048", 0)]
)
def test_sees_and_is_paid_what_openspiel_says(game: str, seat: int) -> None:
    environment, rng = OpenSpielEnvironment(game_name=game, agent_player=seat), Random(game)
    for seed in range(3):
        observation = environment.reset(seed=seed)
        state = follow(pyspiel.load_game(game).new_initial_state(), observation, seat)
        total = 0.0
        while not observation.done:
            assert observation.legal_actions == state.legal_actions()
            action = rng.choice(observation.legal_actions)
            observation = environment.step(OpenSpielAction(action_id=action))
            state = follow(state.child(action), observation, seat)
            assert state is not None, "no moves of OpenSpiel's lead to this observation"
            total += observation.reward or 0
            assert total == state.returns()[seat]


def test_total_rewards_of_the_card_games_are_ones_they_can_pay() -> None:
    for game, possible in (("kuhn_poker", {-2.0, -1.0, 1.0, 2.0}), ("blackjack", {-1.0, 0.0, 1.0})):
        environment, rng, paid = OpenSpielEnvironment(game_name=game), Random(game), set()
        for seed in range(200):
            observation, total = environment.reset(seed=seed), 0.0
            while not observation.done:
                observation = environment.step(OpenSpielAction(action_id=rng.choice(observation.legal_actions)))
                total += observation.reward or 0
            paid.add(total)
        assert paid == possible


@pytest.mark.parametrize(("policy", "expected"), [("first", [0, 1, 2]), ("last", [8, 7, 6])])
def test_opponents_play_as_they_are_told_to(policy: str, expected: list[int]) -> None:
    environment = OpenSpielEnvironment(game_name="tic_tac_toe", agent_player=1, opponent_policy=policy)
    seen = [environment.reset().opponent_last_action]
    seen += [environment.step(OpenSpielAction(action_id=action)).opponent_last_action for action in (3, 4)]
    assert seen == expected
    assert environment.reset(opponent_policy="random", agent_player=0).opponent_last_action is None


def test_what_others_bring_before_the_first_turn_is_paid_with_the_first_step() -> None:
    small = {"colors": 2, "ranks": 2, "players": 2, "hand_size": 2}
    environment, rng = OpenSpielEnvironment(game_name="hanabi", game_params=small, agent_player=1), Random(0)

    def told() -> dict[str, str]:
        lines = environment.render()["text/plain"].splitlines()
        return dict(line.split(": ", 1) for line in lines if ": " in line)

    scored_before = 0
    for seed in range(30):
        observation = environment.reset(seed=seed)
        scored_before += told()["Fireworks"].strip() != "R0 Y0"
        total = 0.0
        while not observation.done:
            observation = environment.step(OpenSpielAction(action_id=rng.choice(observation.legal_actions)))
            total += observation.reward or 0
        fireworks = sum(int(pile[1:]) for pile in told()["Fireworks"].split())
        assert total == (fireworks if told()["Life tokens"] != "0" else 0)
    assert scored_before > 3


def test_a_game_that_ends_before_the_first_turn_is_over_at_once() -> None:
    environment = OpenSpielEnvironment(game_name="pig", game_params={"winscore": 2}, agent_player=1, opponent_policy="first")
    ended_early = [seed for seed in range(50) if environment.reset(seed=seed).done]
    assert ended_early, "the opponent rolls until it wins or loses its turn"
    observation = environment.reset(seed=ended_early[0])
    assert (observation.reward, observation.game_phase) == (-1.0, "terminal")


def test_parameters_change_the_game_and_stay() -> None:
    environment = OpenSpielEnvironment()
    assert len(environment.reset(game_params={"rows": 4, "columns": 3}).info_state) == 12
    assert len(environment.reset().info_state) == 12
    assert environment.state.game_params == {"rows": 4, "columns": 3}
    assert len(environment.reset(game_name="catch").info_state) == 50
    assert environment.reset(game_name="tic_tac_toe", agent_player=1).current_player_id == 1
    assert environment.reset().current_player_id == 1
    state = environment.state
    assert (state.game_name, state.agent_player, state.num_players, state.game_params) == ("tic_tac_toe", 1, 2, {})
    environment.reset(game_name="go", game_params={"komi": 6})
    assert environment.state.game_params == {"komi": 6.0}


def test_the_environment_variables_choose_the_game(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENSPIEL_GAME", "kuhn_poker")
    monkeypatch.setenv("OPENSPIEL_AGENT_PLAYER", "1")
    monkeypatch.setenv("OPENSPIEL_OPPONENT_POLICY", "last")
    environment = OpenSpielEnvironment()
    assert environment.reset(episode_id="mine").opponent_last_action == 1
    state = environment.state
    assert (state.game_name, state.agent_player, state.opponent_policy) == ("kuhn_poker", 1, "last")
    assert (state.episode_id, state.step_count, state.num_players) == ("mine", 0, 2)
    assert OpenSpielEnvironment(game_name="catch", agent_player=0).state.game_name == "catch"


def test_render_shows_the_board() -> None:
    environment = OpenSpielEnvironment(game_name="tic_tac_toe", agent_player=1, opponent_policy="first")
    environment.reset()
    assert environment.render() == {"text/plain": "x..\n...\n..."}

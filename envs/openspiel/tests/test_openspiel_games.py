"""The six games, played to their ends and compared with OpenSpiel itself."""

from __future__ import annotations

import re
from random import Random
from typing import Any
from xml.etree import ElementTree

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


def test_what_is_seen_comes_in_words_and_legal_moves_as_a_mask() -> None:
    environment = OpenSpielEnvironment(game_name="tic_tac_toe", agent_player=1, opponent_policy="first")
    observation = environment.reset()
    assert observation.observation_string == "x..\n...\n..."
    assert observation.legal_actions_mask == [0, 1, 1, 1, 1, 1, 1, 1, 1]
    assert (observation.players, observation.rewards) == ([], [])
    while not observation.done:
        observation = environment.step(OpenSpielAction(action_id=observation.legal_actions[0]))
    assert observation.legal_actions_mask == [0] * 9
    colours = OpenSpielEnvironment(game_name="twixt").reset().observation_string
    assert "\x1b" not in colours


def test_games_without_any_tensor_are_played_by_their_words() -> None:
    environment = OpenSpielEnvironment(game_name="liars_dice_ir")
    observation = environment.reset(seed=0)
    assert observation.info_state == []
    assert re.match(r"P0 [1-6]", observation.observation_string)


def test_a_very_large_action_space() -> None:
    environment, rng = OpenSpielEnvironment(game_name="colored_trails"), Random(0)
    observation = environment.reset(seed=0)
    assert len(observation.legal_actions_mask) == 93123
    assert [action for action, legal in enumerate(observation.legal_actions_mask) if legal] == observation.legal_actions
    with pytest.raises(ValueError, match=r"action 93123 is not legal now; legal are \[.* and \d+ more$") as caught:
        environment.step(OpenSpielAction(action_id=93123))
    assert len(str(caught.value)) < 500
    assert environment.step(OpenSpielAction(action_id=rng.choice(observation.legal_actions))).done


def test_the_name_of_a_game_may_hold_parameters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENSPIEL_GAME", "go(board_size=5, komi=3.5)")
    environment = OpenSpielEnvironment()
    assert len(environment.reset().legal_actions_mask) == 26
    state = environment.state
    assert (state.game_name, state.game_params) == ("go", {"board_size": 5, "komi": 3.5})
    environment.step(OpenSpielAction(action_id=0, game_name="go(board_size=5)"))
    environment.reset(game_name="go(board_size=5)", game_params={"board_size": 7})
    assert environment.state.game_params == {"board_size": 7}


def test_a_crossword_is_filled_with_words() -> None:
    environment = OpenSpielEnvironment(game_name="crossword")
    observation = environment.reset()
    assert "A1. Ancient board game" in observation.observation_string
    answers = {"A1": "GO", "D1": "GAME", "A4": "ARID", "D3": "ADAM", "D6": "ITA", "D2": "OR", "A7": "TA", "A8": "EDAM"}
    for clue, word in answers.items():
        for wrong, message in (
            ({"clue_id": clue, "word": "ABCDEFG"}, "not the correct length"),
            ({"clue_id": "A99", "word": "GO"}, "there is no such clue"),
            ({"word": 1}, 'must be such as {"clue_id": "A1", "word": "GO"}'),
        ):
            with pytest.raises(ValueError, match=message):
                environment.step(OpenSpielAction(action_struct=wrong))
        with pytest.raises(ValueError, match="have no numbers: give action_struct"):
            environment.step(OpenSpielAction(action_id=0))
        observation = environment.step(OpenSpielAction(action_struct={"clue_id": clue, "word": word}))
        assert observation.reward == (101.0 if observation.done else 1.0)
        if observation.done:
            break
    assert observation.done, "the last words were spelled by those that cross them"


def test_render_shows_the_board() -> None:
    environment = OpenSpielEnvironment(game_name="tic_tac_toe", agent_player=1, opponent_policy="first")
    environment.reset()
    assert environment.render()["text/plain"] == "x..\n...\n..."


@pytest.mark.parametrize(
    ("game", "cells", "marks"),
    [
        ("tic_tac_toe", 9, ""),
        ("chess", 64, "rnbqkbnr" + "p" * 8 + "P" * 8 + "RNBQKBNR"),
        ("2048", 16, None),
        ("go", 361, ""),
        ("breakthrough", 64, "b" * 16 + "w" * 16),
        ("hex", 121, ""),
        ("checkers", 64, "+" * 12 + "o" * 12),
        ("havannah", None, None),
        ("kuhn_poker", None, None),
    ],
)
def test_render_draws_what_is_a_board_and_nothing_else(game: str, cells: int | None, marks: str | None) -> None:
    environment = OpenSpielEnvironment(game_name=game)
    environment.reset(seed=0)
    drawn = environment.render().get("image/svg+xml")
    assert (drawn is None) == (cells is None)
    if drawn is not None:
        root = ElementTree.fromstring(drawn)
        assert len(root.findall("{*}rect")) == cells
        written = "".join(each.text or "" for each in root.findall("{*}text"))
        assert marks is None or written == marks

"""The environment as its users meet it: through the client, and installed without a server."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import entry_points
from typing import Any

import pytest

from openenv.errors import ExecutionError, FactoryError, InvalidActionError
from openspiel_env import OpenSpielAction, OpenSpielEnv, OpenSpielObservation, OpenSpielState, __version__


def test_a_game_through_the_client() -> None:
    with OpenSpielEnv.local().sync() as env:
        result = env.reset(seed=4, episode_id="mine", game_name="tic_tac_toe", opponent_policy="first")
        assert isinstance(result.observation, OpenSpielObservation)
        assert (result.reward, result.done) == (None, False)
        for action in (4, 2, 6):
            result = env.step(OpenSpielAction(action_id=action, game_name="tic_tac_toe"))
        assert (result.reward, result.done, result.terminated) == (1.0, True, True)
        state = env.state()
        assert isinstance(state, OpenSpielState)
        assert (state.episode_id, state.step_count, state.game_name, state.num_players) == ("mine", 3, "tic_tac_toe", 2)


def test_a_refused_move_reaches_the_user_in_words_and_the_game_goes_on() -> None:
    with OpenSpielEnv.local().sync() as env:
        before = env.reset(seed=1).observation
        with pytest.raises(ExecutionError, match=r"action 7 is not legal now; legal are \[0, 1, 2\]"):
            env.step(OpenSpielAction(action_id=7))
        with pytest.raises(ExecutionError, match="unknown game 'cathc'"):
            env.reset(game_name="cathc")
        assert env.state().step_count == 0
        after = env.step(OpenSpielAction(action_id=1)).observation
        assert after.info_state.index(1.0) == before.info_state.index(1.0) + 5, "the ball has fallen one row"


def test_a_server_of_its_own_plays_the_game_it_is_told() -> None:
    with OpenSpielEnv.from_process(env_vars={"OPENSPIEL_GAME": "blackjack"}).sync() as env:
        assert env.reset(seed=0).observation.legal_actions == [0, 1]
        assert env.state().game_name == "blackjack"
    with (
        OpenSpielEnv.from_process(env_vars={"OPENSPIEL_GAME": "cathc"}).sync() as env,
        pytest.raises(FactoryError, match="unknown game 'cathc': did you mean catch"),
    ):
        env.reset()


def test_importing_the_client_and_the_policies_brings_no_server() -> None:
    heavy = ("pyspiel", "numpy", "fastapi", "uvicorn", "openspiel_env.server")
    code = f"import sys, openspiel_env, openspiel_env.policies; print([m for m in {heavy} if m in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


def test_half_a_reply_is_enough_for_the_models() -> None:
    observation = OpenSpielObservation.model_validate({"info_state": [1.0]})
    assert (observation.legal_actions, observation.opponent_last_action, observation.done) == ([], None, False)
    assert OpenSpielState.model_validate({"game_name": "2048"}).game_params == {}


def test_an_action_is_one_move_and_travels_without_what_older_servers_do_not_know() -> None:
    assert OpenSpielAction(action_id=3).model_dump() == {"metadata": {}, "action_id": 3, "game_params": {}}
    assert OpenSpielAction.model_validate({"action_id": 3, "game_name": None}).game_name is None
    for wrong in ({}, {"action_id": 1, "action_ids": [1]}, {"action_ids": [1], "action_struct": {}}):
        with pytest.raises(ValueError, match="an action is one of action_id, action_ids and action_struct"):
            OpenSpielAction.model_validate(wrong)


@pytest.mark.parametrize("wrong", [{"action_id": True}, {"action_ids": [0, False]}], ids=str)
def test_a_truth_value_is_no_move(wrong: dict[str, Any]) -> None:
    with OpenSpielEnv.local().sync() as env:
        env.reset(game_name="matrix_pd", opponent_policy="none")
        with pytest.raises(
            InvalidActionError, match=r"^OpenSpielAction does not fit: action_id.*: Input should be a valid integer$"
        ):
            env.step(wrong)  # type: ignore[arg-type]
        assert env.step({"action_ids": [0.0, 1]}).done  # type: ignore[arg-type]


def test_the_distribution_announces_itself() -> None:
    (found,) = (entry for entry in entry_points(group="openenv.environments") if entry.name == "openspiel")
    assert found.load().OpenSpielEnv is OpenSpielEnv
    assert found.dist is not None
    assert found.dist.version == __version__

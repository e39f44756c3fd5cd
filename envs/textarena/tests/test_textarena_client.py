"""The environment as its users meet it: through the client, and installed without a server."""

from __future__ import annotations

from importlib.metadata import entry_points

import pytest

from openenv.errors import ExecutionError, FactoryError
from textarena_env import TextArenaAction, TextArenaEnv, TextArenaObservation, TextArenaState, __version__


def test_a_game_through_the_client() -> None:
    with TextArenaEnv.local().sync() as env:
        result = env.reset(seed=4, episode_id="mine", env_id="GuessTheNumber-v0")
        assert isinstance(result.observation, TextArenaObservation)
        assert (result.reward, result.done, result.observation.current_player_id) == (None, False, 0)
        low, high = 1, 20
        while not result.done:
            middle = (low + high) // 2
            result = env.step(TextArenaAction(message=f"[{middle}]"))
            hint = result.observation.messages[-1].content
            low, high = (middle + 1, high) if "higher" in hint else (low, middle - 1)
        assert (result.reward, result.terminated) == (1.0, True)
        state = env.state()
        assert isinstance(state, TextArenaState)
        assert (state.episode_id, state.env_id, state.num_players) == ("mine", "GuessTheNumber-v0", 1)
        assert state.last_reward == 1.0
        assert state.last_info == result.observation.info


def test_a_refused_call_reaches_the_user_in_words_and_the_game_goes_on() -> None:
    with TextArenaEnv.local().sync() as env:
        env.reset(seed=1)
        with pytest.raises(ExecutionError, match="the message is empty"):
            env.step(TextArenaAction(message=" "))
        with pytest.raises(ExecutionError, match="unknown game 'wordle': did you mean"):
            env.reset(env_id="wordle")
        assert env.state().step_count == 0
        assert env.step(TextArenaAction(message="[crane]")).observation.info["turn"] == 1


def test_a_server_of_its_own_plays_the_game_it_is_told() -> None:
    chosen = {"TEXTARENA_ENV_ID": "LiarsDice-v0", "TEXTARENA_NUM_PLAYERS": "3", "TEXTARENA_KW_NUM_DICE": "2"}
    with TextArenaEnv.from_process(env_vars=chosen).sync() as env:
        observation = env.reset(seed=0).observation
        assert "Player 2: 2" in "".join(message.content for message in observation.messages)
        assert (env.state().env_id, env.state().num_players) == ("LiarsDice-v0", 3)
    with (
        TextArenaEnv.from_process(env_vars={"TEXTARENA_ENV_ID": "Wordel-v0"}).sync() as env,
        pytest.raises(FactoryError, match="unknown game 'Wordel-v0': did you mean Wordle-v0"),
    ):
        env.reset()


async def test_the_published_example_runs() -> None:
    async with TextArenaEnv.local() as client:
        result = await client.reset()
        assert "Wordle" in result.observation.prompt
        for guess in ("crane", "slate", "audio"):
            result = await client.step(TextArenaAction(message=f"[{guess}]"))
            assert all(message.content for message in result.observation.messages)
            if result.done:
                break
        assert result.reward is not None


def test_half_a_reply_is_enough_for_the_models() -> None:
    observation = TextArenaObservation.model_validate({"prompt": "p", "messages": [{"sender_id": -1, "content": "c"}]})
    assert (observation.legal_players, observation.info, observation.messages[0].category) == ([], {}, "GAME_MESSAGE")
    assert TextArenaState.model_validate({"env_id": "Chess-v0"}).turn == 0
    assert TextArenaAction(message="[crane]").model_dump() == {"metadata": {}, "message": "[crane]"}


def test_the_distribution_announces_itself() -> None:
    (found,) = (entry for entry in entry_points(group="openenv.environments") if entry.name == "textarena")
    assert found.load().TextArenaEnv is TextArenaEnv
    assert found.dist is not None
    assert found.dist.version == __version__

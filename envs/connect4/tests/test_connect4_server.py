"""The environment as its users meet it: through a real server, by the calls that older programs make too."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from importlib.metadata import entry_points
from random import Random
from typing import Any

import pytest
from serving import running

from connect4_env import Connect4Action, Connect4Env, Connect4Observation, Connect4State, __version__
from connect4_env.policies import MinimaxPolicy
from connect4_env.server.app import app
from connect4_env.server.environment import Connect4Environment
from openenv.errors import ExecutionError, FactoryError, InvalidActionError


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with running(app) as address:
        yield address


@pytest.mark.parametrize("transport", ["websocket", "http"])
def test_a_game_over_the_wire_is_the_game_itself(url: str, transport: str) -> None:
    here = Connect4Environment()
    options: dict[str, Any] = {"opponent_policy": "random", "agent_first": False}
    with Connect4Env(base_url=url, transport=transport).sync() as env:
        for seed in range(5):
            rng, expected = Random(seed), here.reset(seed=seed, episode_id="e", **options)
            result = env.reset(seed=seed, episode_id="e", **options)
            assert isinstance(result.observation, Connect4Observation)
            assert (result.observation, result.reward) == (expected, None)
            while not result.done:
                action = Connect4Action(column=rng.choice(result.observation.legal_actions))
                result, expected = env.step(action), here.step(action)
                assert result.observation == expected
                assert (result.reward, result.done, result.terminated) == (expected.reward, expected.done, expected.done)
            assert isinstance(env.state(), Connect4State)
            assert env.state() == here.state


def test_older_programs_play_as_they_did(url: str) -> None:
    """No options: the client plays both sides, the rewards are the mover's."""

    async def main() -> list[float | None]:
        async with Connect4Env(base_url=url) as client:
            result = await client.reset()
            assert (len(result.observation.board), {len(row) for row in result.observation.board}) == (6, {7})
            rewards = [result.reward]
            for column in (3, 2, 3, 2, 3, 2, 3):
                assert column in result.observation.legal_actions
                result = await client.step(Connect4Action(column=column))
                rewards.append(result.reward)
            assert result.done
            state = await client.state()
            assert (state.next_player, state.step_count, bool(state.episode_id)) == (-1, 7, True)
            return rewards

    assert asyncio.run(main()) == [None, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0]
    env = Connect4Env(base_url=url)
    result: Any = env.reset()
    result = env.step(Connect4Action(column=3))
    assert (result.observation.board[5][3], result.reward, result.done) == (-1, 0.0, False)
    env.close()


def test_refusals_reach_the_user_in_words_and_the_game_goes_on(url: str) -> None:
    with Connect4Env(base_url=url).sync() as env:
        env.reset(seed=3, opponent_policy="minimax")
        before = env.step(Connect4Action(column=0))
        state = env.state()
        with pytest.raises(ExecutionError, match=r"column 7 is not legal now; legal are \[0, 1, 2, 3, 4, 5, 6\]"):
            env.step(Connect4Action(column=7))
        with pytest.raises(InvalidActionError, match="column"):
            env.step({"column": "left"})  # type: ignore[arg-type]
        with pytest.raises(ExecutionError, match="opponent_policy='clever': input should be 'none', 'random' or 'minimax'"):
            env.reset(opponent_policy="clever")
        with pytest.raises(InvalidActionError, match="does not take depth"):
            env.reset(depth=3)
        assert env.state() == state
        assert env.step(Connect4Action(column=6)).observation.board != before.observation.board
        env.reset(invalid_move="lose")
        lost = env.step(Connect4Action(column=7))
        assert (lost.reward, lost.done, lost.observation.winner) == (-1.0, True, -1)
        with pytest.raises(ExecutionError, match="over"):
            env.step(Connect4Action(column=3))


def test_games_side_by_side_do_not_touch(url: str) -> None:
    async def game(client: Connect4Env, seed: int) -> list[str]:
        result = await client.reset(seed=seed, opponent_policy="random", agent_first=bool(seed % 2))
        policy, seen = MinimaxPolicy(seed, depth=3), [result.observation.model_dump_json()]
        while not result.done:
            result = await client.step(Connect4Action(column=policy.select_action(result.observation)))
            seen.append(result.observation.model_dump_json())
        await client.close()
        return seen

    async def all_at_once() -> list[list[str]]:
        return await asyncio.gather(*(game(Connect4Env(base_url=url), seed) for seed in range(16)))

    async def one_by_one() -> list[list[str]]:
        return [await game(Connect4Env(base_url=url), seed) for seed in range(16)]

    assert asyncio.run(all_at_once()) == asyncio.run(one_by_one())


def test_the_schema_tells_a_stranger_what_to_send(url: str) -> None:
    with urllib.request.urlopen(f"{url}/schema") as reply:
        schema = json.load(reply)
    column = schema["action"]["properties"]["column"]
    assert (column["type"], column["minimum"], column["maximum"]) == ("integer", 0, 6)
    assert schema["action"]["required"] == ["column"]
    assert {"board", "legal_actions", "winner"} <= schema["observation"]["properties"].keys()
    assert {"board", "next_player", "opponent_policy"} <= schema["state"]["properties"].keys()


def test_a_server_of_its_own_plays_as_its_variables_say() -> None:
    variables = {"CONNECT4_OPPONENT_POLICY": "minimax", "CONNECT4_AGENT_FIRST": "false"}
    with Connect4Env.from_process(env_vars=variables).sync() as env:
        assert env.reset().observation.last_column == 3
        assert env.state().opponent_policy == "minimax"
    with (
        Connect4Env.from_process(env_vars={"CONNECT4_OPPONENT_POLICY": "clever"}).sync() as env,
        pytest.raises(FactoryError, match="CONNECT4_OPPONENT_POLICY='clever': input should be 'none'"),
    ):
        env.reset()


def test_importing_the_client_and_the_policies_brings_no_server() -> None:
    heavy = ("fastapi", "uvicorn", "numpy", "pyspiel", "connect4_env.server")
    code = f"import sys, connect4_env, connect4_env.policies; print([m for m in {heavy} if m in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


def test_the_distribution_announces_itself() -> None:
    (found,) = (entry for entry in entry_points(group="openenv.environments") if entry.name == "connect4")
    assert found.load().Connect4Env is Connect4Env
    assert found.dist is not None
    assert found.dist.version == __version__

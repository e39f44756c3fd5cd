"""Who sees what, who is paid what, and who plays which side."""

from __future__ import annotations

from typing import Any

import pytest

from connect4_env import Connect4Action, Connect4Observation
from connect4_env.server.environment import Connect4Environment
from connect4_env.server.options import Options
from openenv import NoEpisodeError

EMPTY = [[0] * 7 for _ in range(6)]


def play(environment: Connect4Environment, columns: str) -> Connect4Observation:
    for column in columns:
        observation = environment.step(Connect4Action(column=int(column)))
    return observation


def stones(board: list[list[int]]) -> int:
    return sum(abs(stone) for row in board for stone in row)


def test_both_sides_see_their_own_stones_as_1() -> None:
    environment = Connect4Environment()
    observation = environment.reset()
    assert (observation.board, observation.current_player, observation.last_column) == (EMPTY, 1, None)
    assert observation.reward is None
    observation = play(environment, "3")
    assert (observation.board[5], observation.current_player, observation.last_column) == ([0, 0, 0, -1, 0, 0, 0], -1, 3)
    assert environment.state.board[5] == [0, 0, 0, 1, 0, 0, 0]
    observation = play(environment, "3")
    assert [row[3] for row in observation.board] == [0, 0, 0, 0, -1, 1], "the first stone lies at the bottom"
    assert observation.current_player == 1


def test_the_side_that_completes_a_line_is_paid_whichever_it_is() -> None:
    environment = Connect4Environment()
    for columns, winner in (("0101010", 1), ("60101020", -1)):
        environment.reset()
        before = play(environment, columns[:-1])
        assert (before.reward, before.done, before.winner) == (0.0, False, None)
        last = play(environment, columns[-1])
        assert (last.reward, last.terminated, last.winner, last.legal_actions) == (1.0, True, winner, [])


@pytest.mark.parametrize("policy", ["random", "minimax"])
@pytest.mark.parametrize("agent_first", [True, False])
def test_against_an_opponent_the_agent_keeps_its_side(policy: str, agent_first: bool) -> None:
    environment = Connect4Environment()
    rewards = set()
    for seed in range(20):
        observation = environment.reset(seed=seed, opponent_policy=policy, agent_first=agent_first)
        before = 0 if agent_first else 1
        assert stones(observation.board) == before
        assert (observation.last_column is None) == agent_first
        while not observation.done:
            assert observation.current_player == environment.state.next_player == (1 if agent_first else -1)
            assert sum(map(sum, observation.board)) == -before, "as many own stones as the other's, and its first one"
            observation = environment.step(
                Connect4Action(column=observation.legal_actions[seed % len(observation.legal_actions)])
            )
        assert observation.winner is not None
        assert observation.reward == observation.winner * (1 if agent_first else -1)
        rewards.add(observation.reward)
    assert -1.0 in rewards
    assert (1.0 in rewards) == (policy == "random")


def test_an_invalid_move_loses_where_it_is_to() -> None:
    environment = Connect4Environment()
    for policy, columns, winner in (("none", "3", 1), ("none", "", -1), ("random", "3", -1)):
        observation = environment.reset(seed=0, invalid_move="lose", opponent_policy=policy)
        if columns:
            observation = play(environment, columns)
        steps, board = environment.state.step_count, environment.state.board
        last = environment.step(Connect4Action(column=7))
        assert (last.reward, last.done, last.terminated, last.winner, last.legal_actions) == (-1.0, True, True, winner, [])
        assert (last.board, environment.state.board) == (observation.board, board)
        assert environment.state.step_count == steps + 1
        with pytest.raises(NoEpisodeError, match="the game is over"):
            environment.step(Connect4Action(column=3))
    environment.reset(invalid_move="lose")
    assert play(environment, "000000").done is False
    assert (play(environment, "0").winner, environment.state.step_count) == (-1, 7)


def test_what_a_reset_chooses_holds_for_its_episode() -> None:
    told: dict[str, Any] = {"opponent_policy": "random", "opponent_depth": 2, "agent_first": True, "invalid_move": "error"}
    chosen: dict[str, Any] = {"opponent_policy": "minimax", "opponent_depth": 3, "agent_first": False, "invalid_move": "lose"}
    environment = Connect4Environment(Options(**told))
    for options in (chosen, {}, {"opponent_depth": 4}, {"agent_first": False}, {}):
        environment.reset(seed=0, episode_id="mine", **options)
        state = environment.state.model_dump()
        assert {name: state[name] for name in told} == {**told, **options}
        assert (state["episode_id"], state["step_count"]) == ("mine", 0)
        assert stones(state["board"]) == (0 if state["agent_first"] else 1)


def test_environment_variables_choose_how_it_is_played(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONNECT4_OPPONENT_POLICY", "minimax")
    monkeypatch.setenv("CONNECT4_OPPONENT_DEPTH", "2")
    monkeypatch.setenv("CONNECT4_AGENT_FIRST", "false")
    monkeypatch.setenv("CONNECT4_INVALID_MOVE", "lose")
    environment = Connect4Environment()
    assert environment.reset().last_column == 3, "minimax begins in the middle"
    state = environment.state
    assert (state.opponent_policy, state.opponent_depth, state.agent_first, state.invalid_move) == ("minimax", 2, False, "lose")
    assert Connect4Environment(Options()).reset().last_column is None

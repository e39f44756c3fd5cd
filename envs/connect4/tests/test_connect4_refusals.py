"""What is refused, in which words, and that the game goes on from where it was."""

from __future__ import annotations

import re
from random import Random
from typing import Any

import pytest

from connect4_env import Connect4Action
from connect4_env.policies import MinimaxPolicy
from connect4_env.server.environment import Connect4Environment
from openenv import NoEpisodeError


@pytest.mark.parametrize("policy", ["none", "random"])
def test_an_invalid_move_changes_nothing(policy: str) -> None:
    disturbed, calm, rng, tried = Connect4Environment(), Connect4Environment(), Random(0), set()
    for seed in range(30):
        observation = disturbed.reset(seed=seed, episode_id="standing", opponent_policy=policy)
        assert calm.reset(seed=seed, episode_id="standing", opponent_policy=policy) == observation
        while not observation.done:
            illegal = {-1, 7, 10**30, *range(7)} - set(observation.legal_actions)
            for column in illegal:
                told = f"column {column} is not legal now; legal are {observation.legal_actions}"
                with pytest.raises(ValueError, match=f"^{re.escape(told)}$"):
                    disturbed.step(Connect4Action(column=column))
            tried |= illegal
            assert disturbed.state == calm.state
            assert disturbed.render() == calm.render()
            column = rng.choice(observation.legal_actions)
            observation = calm.step(Connect4Action(column=column))
            assert disturbed.step(Connect4Action(column=column)) == observation
    assert len(tried - {-1, 7, 10**30}) > 3, "more than half of the columns must have been full once"


@pytest.mark.parametrize("column", [True, False, 3.5, None])
def test_what_is_no_whole_number_is_no_column(column: Any) -> None:
    with pytest.raises(ValueError, match="Input should be a valid integer"):
        Connect4Action(column=column)


def test_a_column_may_come_as_other_programs_write_whole_numbers() -> None:
    assert [Connect4Action.model_validate({"column": written}).column for written in (3, 3.0, "3")] == [3, 3, 3]


def test_a_refusal_is_short_whatever_was_asked_for() -> None:
    environment = Connect4Environment()
    environment.reset()
    with pytest.raises(ValueError, match=r"^column 10+ is not legal now; legal are \[0, 1, 2, 3, 4, 5, 6\]$") as caught:
        environment.step(Connect4Action(column=10**4000))
    assert len(str(caught.value)) < 150


def test_there_must_be_a_game_to_move_in() -> None:
    environment = Connect4Environment()
    with pytest.raises(NoEpisodeError, match=r"call reset\(\) before step\(\)"):
        environment.step(Connect4Action(column=3))
    observation = environment.reset()
    while not observation.done:
        observation = environment.step(Connect4Action(column=observation.legal_actions[0]))
    state, picture = environment.state, environment.render()
    with pytest.raises(NoEpisodeError, match=r"the game is over: reset\(\) starts the next one"):
        environment.step(Connect4Action(column=3))
    assert (environment.state, environment.render()) == (state, picture)


WRONG_OPTIONS: list[tuple[dict[str, Any], str]] = [
    ({"opponent_policy": "clever"}, "opponent_policy='clever': input should be 'none', 'random' or 'minimax'"),
    ({"opponent_depth": 0}, "opponent_depth=0: input should be greater than or equal to 1"),
    ({"opponent_depth": 11}, "opponent_depth=11: input should be less than or equal to 10"),
    ({"opponent_depth": "deep"}, "opponent_depth='deep': input should be a valid integer"),
    ({"opponent_depth": True}, "opponent_depth=True: input should be a valid integer"),
    ({"opponent_depth": 3.0}, "opponent_depth=3.0: input should be a valid integer"),
    ({"agent_first": "perhaps"}, "agent_first='perhaps': input should be a valid boolean"),
    ({"agent_first": 1}, "agent_first=1: input should be a valid boolean"),
    ({"opponent_policy": "x" * 10_000}, "opponent_policy='xxx.*: input should be 'none', 'random' or 'minimax'"),
    ({"invalid_move": "ignore", "opponent_depth": 0}, "opponent_depth=0: .*; invalid_move='ignore': .* 'error' or 'lose'"),
]


@pytest.mark.parametrize(("options", "message"), WRONG_OPTIONS, ids=lambda value: str(value)[:50])
def test_a_reset_that_cannot_be_done_leaves_the_game_as_it_is(options: dict[str, Any], message: str) -> None:
    environment = Connect4Environment()
    environment.reset(seed=1, opponent_policy="random")
    environment.step(Connect4Action(column=0))
    state = environment.state
    with pytest.raises(ValueError, match=message) as caught:
        environment.reset(**options)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300
    assert environment.state == state
    assert environment.step(Connect4Action(column=1)).reward == 0.0


def test_a_wrong_environment_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONNECT4_OPPONENT_DEPTH", "deep")
    with pytest.raises(ValueError, match=r"^CONNECT4_OPPONENT_DEPTH='deep': input should be a valid integer"):
        Connect4Environment()


@pytest.mark.parametrize("depth", [0, 11, True, 3.0, "3"], ids=repr)
def test_minimax_refuses_a_depth_that_it_cannot_look(depth: Any) -> None:
    with pytest.raises(ValueError, match=f"looks 1 to 10 plies ahead, not {depth!r}"):
        MinimaxPolicy(depth=depth)

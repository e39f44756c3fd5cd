"""What is refused, in which words, and that the game goes on from where it was."""

from __future__ import annotations

from typing import Any

import pytest

from textarena_env import TextArenaAction
from textarena_env.models import MAX_MESSAGE_CHARS
from textarena_env.server.environment import TextArenaEnvironment


def test_a_message_that_is_none_changes_nothing() -> None:
    disturbed, calm = (TextArenaEnvironment("TicTacToe-v0") for _ in range(2))
    disturbed.reset(seed=3)
    calm.reset(seed=3)
    for square in (4, 0):
        for message, words in (
            ("", "is empty"),
            (" \n", "is empty"),
            ("x" * (MAX_MESSAGE_CHARS + 1), "has 20001 characters, and 20000 are"),
        ):
            with pytest.raises(ValueError, match=words):
                disturbed.step(TextArenaAction(message=message))
        assert disturbed.render() == calm.render()
        move = TextArenaAction(message=f"[{square}]")
        assert disturbed.step(move) == calm.step(move)
    assert disturbed.state.step_count == 2


def test_a_message_that_breaks_textarenas_game_changes_nothing() -> None:
    breaking = TextArenaAction(message="[place () {(0,0): []}]")
    for policy in ("random", "none"):
        disturbed, calm = (TextArenaEnvironment("Tak-v0", opponent_policy=policy) for _ in range(2))
        assert disturbed.reset(seed=3) == calm.reset(seed=3)
        for square, piece in (("(1,1)", "F0"), ("(2,2)", "F0"), ("(3,3)", "W0")):
            with pytest.raises(ValueError, match=r"Tak-v0 cannot read this message .*it is still player"):
                disturbed.step(breaking)
            assert disturbed.render() == calm.render()
            move = TextArenaAction(message=f"[place () {{{square}: [{piece}]}}]")
            after, expected = disturbed.step(move), calm.step(move)
            assert after == expected
            assert disturbed.state.step_count == calm.state.step_count


def test_what_the_rules_refuse_is_part_of_the_game() -> None:
    environment = TextArenaEnvironment("Wordle-v0")
    environment.reset(seed=0)
    observation = environment.step(TextArenaAction(message="[zzzzz]"))
    assert (observation.info["invalid_move"], observation.done, observation.reward) == (True, False, 0.0)
    assert "not an English word" in observation.messages[-1].content
    observation = environment.step(TextArenaAction(message="[zzzzz]"))
    assert (observation.info["invalid_move"], observation.done) == (True, True)
    assert observation.info["game_info"]["0"]["invalid_move"] is True


def test_puzzles_that_give_their_arguments_in_the_wrong_order_pay_numbers() -> None:
    for env_id in ("Countdown-v0", "Cryptarithm-v0", "Slitherlink-v0", "ThreeCardMonte-v0"):
        environment = TextArenaEnvironment(env_id)
        environment.reset(seed=0)
        first = environment.step(TextArenaAction(message="[nonsense]"))
        assert "Reason: 0" not in first.messages[-1].content
        last = environment.step(TextArenaAction(message="[nonsense]"))
        assert last.done
        assert isinstance(last.reward, float)
        assert str(last.info["reason"]).startswith("Invalid Move: ")


@pytest.mark.parametrize(
    "decisions", [["[999]"] * 10, ["[999]", "[999]", "[999]", "[5]", "[999]", "[999]", "[999]"]], ids=["refused", "deserted"]
)
def test_a_game_that_cannot_go_on_is_cut_and_pays_nobody(decisions: list[str]) -> None:
    environment = TextArenaEnvironment("PublicGoodsGame-v0", opponent_policy="none")
    environment.reset(seed=0)
    for message in ["{hello}"] * 6 + decisions:
        observation = environment.step(TextArenaAction(message=message))
    assert (observation.terminated, observation.truncated, observation.reward) == (False, True, 0.0)
    assert "rewards" not in observation.info


def test_there_must_be_a_game_to_speak_in() -> None:
    environment = TextArenaEnvironment()
    with pytest.raises(RuntimeError, match=r"call reset\(\) before step\(\)"):
        environment.step(TextArenaAction(message="[crane]"))
    with pytest.raises(RuntimeError, match=r"call reset\(\) before render\(\)"):
        environment.render()
    environment.reset(max_turns=1)
    assert environment.step(TextArenaAction(message="[crane]")).truncated
    before = environment.state
    with pytest.raises(RuntimeError, match="the game is over"):
        environment.step(TextArenaAction(message="[crane]"))
    assert environment.state == before


WRONG_OPTIONS: list[tuple[dict[str, Any], str]] = [
    ({"env_id": "Wordl-v0"}, "unknown game 'Wordl-v0': did you mean Wordle-v0"),
    ({"env_id": "zzzz"}, "unknown game 'zzzz': TextArena has 712 ids"),
    ({"env_id": 7}, "unknown game 7"),
    ({"env_id": "GuessWho-v0"}, "GuessWho-v0 is judged or answered by language models"),
    ({"env_id": "UsedCarNegotiation-v0"}, "wants the file blue_book.txt"),
    ({"env_id": "BabyAiText-v0"}, "wants the module gym"),
    ({"env_id": "Wordle-v0", "num_players": 2}, "Wordle-v0 cannot be played by 2 players"),
    ({"env_id": "Golf-v0", "num_players": 3}, "cannot be played by 3 players: with more than 2 TextArena's game cannot end"),
    ({"env_id": "TicTacToe-v0", "num_players": 1}, "TicTacToe-v0 cannot be played by 1 players"),
    ({"env_id": "SpiteAndMalice-v0", "num_players": 5}, "it is for 2 players"),
    ({"num_players": 0}, "num_players must be a whole number, 1 to 15, not 0"),
    ({"num_players": "2"}, "num_players must be a whole number"),
    ({"agent_player": 1}, "agent_player must be a seat of Wordle-v0, which has only seat 0, not 1"),
    ({"env_id": "TicTacToe-v0", "agent_player": 2}, "which has seats 0 to 1, not 2"),
    ({"max_turns": 0}, "max_turns must be a whole number, 1 or more"),
    ({"opponent_policy": "clever"}, "unknown opponent policy 'clever': choose random, none"),
    ({"opponent_policy": ["random"]}, "unknown opponent policy"),
    ({"num_players": True}, "num_players must be a whole number, 1 to 15, not True"),
    ({"max_turns": 2.0}, "max_turns must be a whole number"),
    ({"env_id": ""}, "unknown game ''"),
    ({"opponent_policy": ""}, "unknown opponent policy ''"),
    ({"seed": True}, "seed must be a whole number or None, not True"),
    ({"seed": "7"}, "seed must be a whole number"),
    (
        {"env_kwargs": {"colour": 1}},
        "no argument 'colour': env_kwargs may hold word_length, num_guesses, hardcore",
    ),
    (
        {"env_kwargs": {"num_guesses": "8"}},
        "num_guesses of Wordle-v0 cannot be '8': input should be a valid integer; env_",
    ),
    ({"env_kwargs": {"num_guesses": True}}, "num_guesses of Wordle-v0 cannot be True"),
    (
        {"env_kwargs": {"word_length": 40}},
        "cannot be played with {'word_length': 40}: IndexError: Cannot choose .*; env_kwargs",
    ),
    ({"env_id": "Snake-v0", "env_kwargs": {"width": 0}}, "with {'width': 0}: Board 0x5 too small .* hold width, height"),
    ({"env_id": "Tak-v0", "env_kwargs": {"stones": "x"}}, "stones of Tak-v0 cannot be 'x'"),
    ({"env_id": "TicTacToe-v0", "env_kwargs": {"size": 4}}, "TicTacToe-v0 has no argument 'size': it takes none"),
    ({"env_id": "Taboo-v0", "env_kwargs": {"data_path": "/etc/passwd"}}, "Taboo-v0 has no argument 'data_path'"),
    ({"env_id": "Taboo-v0", "env_kwargs": {"categories": ["x"]}}, "cannot be played with .* not found in data file: x;"),
    ({"env_kwargs": {1: 2}}, "env_kwargs must map names to values"),
    ({"env_kwargs": {"x" * 9999: 1}}, "has no argument 'xxx"),
    ({"env_kwargs": {"num_guesses": "x" * 9999}}, "num_guesses of Wordle-v0 cannot be 'xxx"),
    ({"env_kwargs": "x" * 9999}, "env_kwargs must map names"),
    ({"env_id": "x" * 9999}, "unknown game 'xxx"),
    ({"opponent_policy": "x" * 9999}, "unknown opponent policy 'xxx"),
    ({"num_players": "x" * 9999}, "num_players must be a whole number"),
]


@pytest.mark.parametrize(("options", "message"), WRONG_OPTIONS, ids=lambda value: str(value)[:50])
def test_a_reset_that_cannot_be_done_leaves_the_game_as_it_is(options: dict[str, Any], message: str) -> None:
    environment, undisturbed = TextArenaEnvironment(), TextArenaEnvironment()
    for each in (environment, undisturbed):
        each.reset(seed=1, episode_id="standing")
        each.step(TextArenaAction(message="[crane]"))
    with pytest.raises(ValueError, match=message) as caught:
        environment.reset(**options)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300
    assert environment.state == undisturbed.state
    move = TextArenaAction(message="[sight]")
    assert environment.step(move) == undisturbed.step(move)


def test_a_server_told_to_play_what_it_cannot_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEXTARENA_NUM_PLAYERS", "two")
    with pytest.raises(ValueError, match="TEXTARENA_NUM_PLAYERS='two' is not a whole number"):
        TextArenaEnvironment()
    monkeypatch.setenv("TEXTARENA_NUM_PLAYERS", "1")
    monkeypatch.setenv("TEXTARENA_ENV_ID", "Wordel-v0")
    with pytest.raises(ValueError, match="did you mean Wordle-v0"):
        TextArenaEnvironment()
    monkeypatch.delenv("TEXTARENA_ENV_ID")
    monkeypatch.setenv("TEXTARENA_WORD_DATA", "mine")
    with pytest.raises(ValueError, match="unknown TEXTARENA_WORD_DATA 'mine': choose installed, packaged"):
        TextArenaEnvironment()

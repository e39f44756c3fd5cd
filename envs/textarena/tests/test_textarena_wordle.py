"""Wordle: the solver, the marks and the signals."""

from __future__ import annotations

import pytest

from textarena_env import TextArenaAction, TextArenaMessage, TextArenaObservation
from textarena_env.policies import RandomPolicy, WordlePolicy, policies_for
from textarena_env.policies.wordle import marks
from textarena_env.rewards import extract_feedback_counts, extract_guess, extract_wordle_feedback
from textarena_env.server.environment import TextArenaEnvironment


def say(environment: TextArenaEnvironment, message: str) -> TextArenaObservation:
    return environment.step(TextArenaAction(message=message))


@pytest.mark.parametrize(
    "env_id",
    [
        "Wordle-v0",
        "Wordle-v0-long",
        pytest.param("Wordle-v0-hardcore", marks=pytest.mark.long),
        pytest.param("Wordle-v0-long-hardcore", marks=pytest.mark.long),
    ],
)
def test_the_solver_wins(env_id: str) -> None:
    environment, player, won = TextArenaEnvironment(env_id), WordlePolicy(), 0
    for seed in range(100):
        observation = environment.reset(seed=seed)
        while not observation.done:
            observation = say(environment, player.select_action(observation))
        won += observation.reward == 1
    assert won >= 95


@pytest.mark.parametrize(
    ("guess", "secret", "expected"),
    [
        ("crane", "crane", "GGGGG"),
        ("speed", "erase", "YXYYX"),
        ("allee", "apple", "GYXXG"),
        ("eerie", "crane", "XXYXG"),
        ("melee", "eeler", "XGGGY"),
    ],
)
def test_the_marks_are_wordles(guess: str, secret: str, expected: str) -> None:
    assert marks(guess, secret) == expected


def test_marks_and_signals_come_with_each_guess() -> None:
    environment = TextArenaEnvironment()
    environment.reset(seed=2)
    secret = environment._match.game.inner.state.game_state["secret_word"]  # type: ignore[union-attr]
    said = ["trace", "sight", "sight", secret]
    assert secret not in said[:3]
    signals, rewards = [], []
    for number, word in enumerate(said):
        observation = say(environment, f"[{word}]")
        told = observation.info["reward_signals"]
        assert observation.metadata["reward_signals"] == told
        refused = number == 2
        assert observation.info["invalid_move"] == refused
        expected = "" if refused else marks(word, secret)
        initials = "".join(each["mark"][0] for each in observation.info["feedback"])
        assert initials == expected.replace("G", "g").replace("Y", "y").replace("X", "g") or refused
        assert told["wordle.greens"] == expected.count("G") / 5
        assert told["wordle.yellows"] == expected.count("Y") / 5
        signals.append((told["wordle.repetitions"], told["wordle.correct"]))
        rewards.append(observation.reward)
    assert signals == [(1.0, 0.0), (1.0, 0.0), (2 / 3, 0.0), (3 / 4, 1.0)]
    assert rewards == [0.0, 0.0, 0.0, 1.0]
    assert observation.info["rewards"] == {"0": 1.0}


def test_a_lost_game_pays_what_textarena_pays_and_names_the_word() -> None:
    environment = TextArenaEnvironment(env_kwargs={"num_guesses": 1})
    environment.reset(seed=2)
    secret = environment._match.game.inner.state.game_state["secret_word"]  # type: ignore[union-attr]
    observation = say(environment, "[trace]")
    found = marks("trace", secret)
    assert observation.reward == pytest.approx((found.count("G") + found.count("Y") / 2) / 5)
    assert secret in observation.messages[-1].content == observation.info["reason"]


def test_render_shows_the_tiles() -> None:
    environment = TextArenaEnvironment()
    environment.reset(seed=2)
    say(environment, "[trace]")
    picture = environment.render()
    assert picture["text/plain"].splitlines()[0] == "T R A C E"
    assert len(picture["text/plain"].splitlines()) == 2 + 5
    assert picture["image/svg+xml"].count("<rect") == 1 + 30
    assert picture["image/svg+xml"].count("<text") == 5


def test_the_words_of_models_and_of_the_game_are_read() -> None:
    assert extract_guess("I think of [SLATE] or [Crane]") == "[crane]"
    assert extract_guess("My guess is CRANE") == "[crane]"
    assert extract_guess("ab cd efg") == "[abcde]"
    environment = TextArenaEnvironment()
    assert extract_wordle_feedback(environment.reset(seed=2)) == ""
    told = extract_wordle_feedback(say(environment, "[trace]"))
    assert told.splitlines()[0] == "T R A C E"
    assert extract_feedback_counts(told) == (told.count("G"), told.count("Y"))
    lying = TextArenaMessage(sender_id=0, content="Feedback:\nC R A N E\nG G G G G", category="PLAYER_ACTION")
    assert extract_wordle_feedback(TextArenaObservation(messages=[lying])) == ""


def test_the_lineup_begins_with_the_random_player() -> None:
    assert [type(policy) for policy in policies_for("Wordle-v0-long", 0)] == [RandomPolicy, WordlePolicy]
    assert [type(policy) for policy in policies_for("Chess-v0", 0)] == [RandomPolicy]

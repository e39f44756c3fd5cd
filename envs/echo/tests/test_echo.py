"""The echo environment, as its users meet it."""

import subprocess
import sys

import pytest

from echo_env import EchoAction, EchoEnv
from echo_env.server.environment import GREETING, EchoEnvironment
from openenv.errors import InvalidActionError


def test_echoes_and_rewards_a_tenth_per_character() -> None:
    with EchoEnv.local().sync() as env:
        assert env.reset(episode_id="first").observation.echoed_message == GREETING
        for said in ("Hello, World!", "", "łódź 🎲"):
            result = env.step(EchoAction(message=said))
            assert result.observation.echoed_message == said
            assert result.observation.message_length == len(said)
            assert result.reward == len(said) / 10
            assert not result.done
        state = env.state()
        assert (state.episode_id, state.step_count, state.last_message) == ("first", 3, "łódź 🎲")


def test_a_reset_starts_over() -> None:
    environment = EchoEnvironment()
    environment.reset()
    first = environment.state.episode_id
    environment.step(EchoAction(message="a"))
    environment.reset()
    assert environment.state.step_count == 0
    assert environment.state.episode_id not in (first, None)


def test_what_is_no_message_is_refused_and_nothing_is_lost() -> None:
    with EchoEnv.local().sync() as env:
        env.reset()
        env.step(EchoAction(message="kept"))
        with pytest.raises(InvalidActionError, match="message"):
            env.step({"message": 3, "shout": True})  # type: ignore[arg-type]
        assert env.state().last_message == "kept"


def test_importing_the_client_brings_no_server() -> None:
    code = "import sys, echo_env; print([m for m in ('fastapi', 'uvicorn', 'echo_env.server') if m in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"

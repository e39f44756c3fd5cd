"""The echo environment, as its users meet it: in their own process, and over a socket from a server of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import entry_points
from typing import Any

import pytest

from echo_env import EchoAction, EchoEnv, EchoObservation, EchoState, __version__
from echo_env.policies import LongestPolicy, Policy, RandomPolicy
from echo_env.server.environment import GREETING, EchoEnvironment
from openenv import SyncEnvClient
from openenv.client.tools import MCPToolClient
from openenv.contract.tools import CallToolAction
from openenv.errors import InvalidActionError

Client = SyncEnvClient[EchoAction, EchoObservation, EchoState]
SAID = ("Hello, World!", "", "łódź 🎲", "two\nlines", "x" * 100_000)


@pytest.fixture(scope="module", params=[EchoEnv.local, EchoEnv.from_process], ids=["local", "process"])
def env(request: pytest.FixtureRequest) -> Iterator[Client]:
    with request.param().sync() as client:
        yield client


def test_echoes_and_rewards_a_tenth_per_character(env: Client) -> None:
    greeting = env.reset(episode_id="first")
    assert (greeting.observation.echoed_message, greeting.reward, greeting.done) == (GREETING, None, False)
    for number, said in enumerate(SAID, start=1):
        result = env.step(EchoAction(message=said))
        assert (result.observation.echoed_message, result.observation.message_length) == (said, len(said))
        assert (result.reward, result.done) == (len(said) / 10, False)
        assert env.state() == EchoState(episode_id="first", step_count=number, last_message=said)


def test_a_reset_starts_over(env: Client) -> None:
    env.reset()
    first = env.state().episode_id
    env.step(EchoAction(message="a"))
    env.reset()
    assert (env.state().step_count, env.state().last_message) == (0, None)
    assert env.state().episode_id not in (first, None)


def test_a_step_needs_no_reset_before_it() -> None:
    with EchoEnv.local().sync() as env:
        assert env.step(EchoAction(message="first")).observation.echoed_message == "first"
        assert env.state() == EchoState(step_count=1, last_message="first")


def test_the_same_seed_and_actions_give_the_same_bytes(env: Client) -> None:
    def episode() -> list[str]:
        results = [env.reset(seed=7), *(env.step(EchoAction(message=said)) for said in SAID)]
        return [result.observation.model_dump_json() for result in results]

    assert episode() == episode()


@pytest.mark.parametrize("action", [{"message": 3}, {"message": None}, {}, {"message": "hey", "shout": True}], ids=str)
def test_what_is_no_message_is_refused_and_nothing_is_lost(env: Client, action: dict[str, object]) -> None:
    env.reset()
    env.step(EchoAction(message="kept"))
    before = env.state()
    with pytest.raises(InvalidActionError, match="shout" if "shout" in action else "message"):
        env.step(action)  # type: ignore[arg-type]
    with pytest.raises(InvalidActionError, match="does not take volume"):
        env.reset(volume=11)
    assert env.state() == before
    assert env.step(EchoAction(message="on")).observation.echoed_message == "on"


def test_tools_say_things_back_and_change_nothing(env: Client) -> None:
    env.reset(episode_id="tools")
    env.step(EchoAction(message="kept"))
    before = env.state()
    with MCPToolClient.local("echo_env.server.app:app").sync() as tools:
        assert {tool.name for tool in tools.list_tools()} == {"echo_message", "echo_with_length"}
        for said in SAID:
            assert tools.call_tool("echo_message", message=said) == said
            assert tools.call_tool("echo_with_length", message=said) == {"message": said, "length": len(said)}
        with pytest.raises(InvalidActionError, match="message"):
            tools.call_tool("echo_message", message=3)
    assert env.state() == before
    environment = EchoEnvironment()
    environment.reset()
    observation = environment.step(CallToolAction(tool_name="echo_message", arguments={"message": "a"}))
    assert (observation.result.data, observation.reward) == ("a", None)
    assert environment.state.step_count == 0


def test_the_picture_is_what_was_said_last(env: Client) -> None:
    env.reset()
    assert env.render() == {"text/plain": GREETING}
    for said in ("Hello", ""):
        env.step(EchoAction(message=said))
        assert env.render() == {"text/plain": said}


def earned(env: Client, policy: Policy) -> list[float]:
    """Return the rewards of an episode of 50 messages."""
    result, rewards = env.reset(), []
    for _ in range(50):
        result = env.step(EchoAction(message=policy.select_action(result.observation)))
        rewards.append(result.reward or 0.0)
    return rewards


def test_the_best_player_gets_all_there_is_and_chance_about_half(env: Client) -> None:
    assert earned(env, LongestPolicy(longest=80)) == [8.0] * 50
    by_chance = earned(env, RandomPolicy(seed=1, longest=80))
    assert by_chance == earned(env, RandomPolicy(seed=1, longest=80)) != earned(env, RandomPolicy(seed=-1, longest=80))
    assert max(by_chance) <= 8.0
    assert 3 < sum(by_chance) / 50 < 5


@pytest.mark.parametrize("longest", [-1, True, 3.0, "3"], ids=repr)
def test_a_player_is_told_a_number_of_characters(longest: Any) -> None:
    with pytest.raises(ValueError, match=f"a message has 0 characters or more, not {longest!r}"):
        LongestPolicy(longest=longest)


def test_environments_and_their_states_do_not_share_anything() -> None:
    one, other = EchoEnvironment(), EchoEnvironment()
    one.reset(episode_id="one")
    other.reset(episode_id="other")
    before = one.state
    one.step(EchoAction(message="a"))
    assert other.state == EchoState(episode_id="other")
    assert before == EchoState(episode_id="one")


def test_importing_the_client_and_the_policies_brings_no_server() -> None:
    code = "import sys, echo_env.policies; print([m for m in ('fastapi', 'uvicorn', 'echo_env.server') if m in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


def test_the_distribution_announces_itself() -> None:
    (found,) = (entry for entry in entry_points(group="openenv.environments") if entry.name == "echo")
    assert found.load().EchoEnv is EchoEnv
    assert found.dist is not None
    assert found.dist.version == __version__

"""The published package's client plays our server, and our client plays its server."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator

import published_package
import pytest

from openenv import Action, EnvClient, Observation, State
from openenv.errors import ExecutionError, InvalidActionError, SessionStuck, StepTimeout

pytestmark = [pytest.mark.interop, pytest.mark.timeout(600)]


@pytest.fixture(scope="module", params=list(published_package.DISTRIBUTIONS))
def version(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    published_package.needed(name)
    return name


@pytest.fixture(scope="module")
def their_server(version: str) -> Iterator[str]:
    with published_package.serving(published_package.command(version, "serve.py"), published_package.VARIABLES) as url:
        yield url


class Amount(Action):
    amount: int


class Sum(Observation):
    total: int
    label: str = ""


class AdderEnv(EnvClient[Amount, Sum, State]):
    """Plays the published server's adder."""


def test_their_client_plays_our_server(version: str, counter_url: str) -> None:
    command = published_package.command(version, "play.py", counter_url, "3", "4", "5")
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60, env=published_package.VARIABLES)
    transcript = json.loads(done.stdout)
    for world in ("awaited", "blocking"):
        first, *steps = transcript[world]
        assert (first["observation"]["label"], first["reward"], first["done"]) == ("start", None, False)
        assert [step["observation"]["total"] for step in steps] == [3, 7, 12]
        assert [step["reward"] for step in steps] == [3, 4, 5]
        assert [step["done"] for step in steps] == [False, False, True]
    assert transcript["state"]["step_count"] == 3
    assert (transcript["state"]["episode_id"], transcript["state"]["seed"]) == ("theirs", 7)
    unread, refused = transcript["errors"]
    assert "VALIDATION_ERROR" in unread
    assert "amount must not be negative" in refused
    assert transcript["after"]["observation"]["total"] == 2


def test_our_blocking_client_plays_their_server(their_server: str) -> None:
    with AdderEnv(base_url=their_server).sync() as env:
        assert env.reset(seed=7, episode_id="ours").observation == Sum(total=0, label="start")
        rewards = [env.step(Amount(amount=amount)).reward for amount in (3, 4)]
        assert rewards == [3, 4]
        with pytest.raises(ExecutionError, match="must not be negative"):
            env.step(Amount(amount=-1))
        with pytest.raises(InvalidActionError):
            env.step({"colour": "red"})  # type: ignore[arg-type]
        last = env.step(Amount(amount=5))
        assert (last.observation.total, last.done, last.observation.done, last.terminated) == (12, True, True, None)
        state = env.state()
        assert (state.episode_id, state.step_count) == ("ours", 3)


async def test_our_awaited_client_plays_their_server(their_server: str) -> None:
    async with AdderEnv(base_url=their_server) as env:
        await env.reset()
        assert [(await env.step(Amount(amount=1))).observation.total for _ in range(20)] == list(range(1, 21))


def test_a_late_reply_of_their_server_is_dropped(their_server: str) -> None:
    with AdderEnv(base_url=their_server).sync() as env:
        env.reset()
        with pytest.raises(StepTimeout):
            env.step(Amount(amount=1), timeout_s=0.00001)
        with pytest.raises(SessionStuck):
            env.step(Amount(amount=1))
        assert env.reset().observation.label == "start"
        assert env.step(Amount(amount=2)).observation.total == 2

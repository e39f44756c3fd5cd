"""Every game that TextArena offers plays, to its end or as far as it is let."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from textarena_env import TextArenaAction, TextArenaObservation
from textarena_env.policies import RandomPolicy
from textarena_env.server import catalogue
from textarena_env.server.environment import TextArenaEnvironment

DOCS = Path(__file__).parents[1] / "docs"
SLOW = "Sokoban-v0-medium"


def one_of_each() -> list[str]:
    """One id for each class of game."""
    found: dict[str, str] = {}
    for env_id in catalogue.env_ids():
        if env_id != SLOW:
            found.setdefault(catalogue.registry()[env_id].entry_point, env_id)
    return list(found.values())


def play(environment: TextArenaEnvironment, env_id: str, seed: int, opponent_policy: str) -> TextArenaObservation:
    observation = environment.reset(seed=seed, env_id=env_id, opponent_policy=opponent_policy)
    assert observation.reward is None or observation.done
    assert observation.prompt
    player = RandomPolicy(f"{env_id}/{seed}")
    while not observation.done:
        assert observation.legal_players == [observation.current_player_id]
        observation = environment.step(TextArenaAction(message=player.select_action(observation)))
        assert isinstance(observation.reward, float)
        assert observation.done or observation.reward == 0.0
    assert observation.legal_players == []
    assert observation.terminated is not observation.truncated
    assert observation.terminated == ("rewards" in observation.info)
    if observation.terminated:
        assert len(observation.info["rewards"]) == environment.state.num_players
        TextArenaObservation.model_validate_json(observation.model_dump_json())
    return observation


def play_all(env_ids: list[str]) -> tuple[set[str], set[str]]:
    environment, played, refused = TextArenaEnvironment(max_turns=12), set(), set()
    for env_id in env_ids:
        try:
            for policy in ("random", "none"):
                play(environment, env_id, 1, policy)
        except catalogue.GameUnavailable:
            refused.add(env_id)
        else:
            played.add(env_id)
    return played, refused


def table() -> dict[str, bool]:
    rows = re.findall(r"^\| `(.+?)` \|[^|]*\| (yes|no) \|", (DOCS / "games.md").read_text(), re.MULTILINE)
    return {env_id: plays == "yes" for env_id, plays in rows}


def test_one_game_of_each_class_plays() -> None:
    played, refused = play_all(one_of_each())
    assert len(played) == 82
    assert {env_id: env_id in played for env_id in played | refused}.items() <= table().items()


@pytest.mark.long
@pytest.mark.timeout(900)
def test_every_game_plays() -> None:
    played, refused = play_all([env_id for env_id in catalogue.env_ids() if env_id != SLOW])
    assert (len(played), len(refused)) == (207, 30)


@pytest.mark.long
@pytest.mark.timeout(300)
def test_the_slowest_game_plays_too() -> None:
    assert play(TextArenaEnvironment(max_turns=12), SLOW, 3, "random").done


def test_the_table_names_every_game() -> None:
    reasons = re.findall(r"\| no \| (.*?) \|", (DOCS / "games.md").read_text())
    assert all(re.search("OpenRouter|does not parse|distribution lacks|not installed", reason) for reason in reasons)
    assert len(reasons) == 30
    assert list(table()) == catalogue.env_ids()
    assert sum(table().values()) == 208


@pytest.mark.long
@pytest.mark.timeout(300)
def test_the_table_is_current() -> None:
    done = subprocess.run([sys.executable, str(DOCS / "make_games.py"), "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr

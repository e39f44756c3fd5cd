"""What a seed decides, and what nothing here may touch."""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from serving import running

from openenv.server import create_app
from textarena_env import TextArenaAction, TextArenaEnv
from textarena_env.policies import RandomPolicy
from textarena_env.server import catalogue
from textarena_env.server.environment import TextArenaEnvironment

GAMES = (
    "Wordle-v0",
    "SpellingBee-v0",
    "WordChains-v0",
    "SecretMafia-v0",
    "Poker-v0-small",
    "Secretary-v0",
    "Codenames-v0",
    "WordSearch-v0",
    "2048-v0",
    "Battleship-v0",
    "MemoryGame-v0",
    "TruthAndDeception-v0",
    "RushHour-v0",
    "Sokoban-v0",
)


def played(env_id: str, seed: int, environment: TextArenaEnvironment | None = None) -> list[str]:
    """Return an episode's observations as bytes on the wire would be."""
    environment = environment or TextArenaEnvironment(max_turns=8)
    observation = environment.reset(seed=seed, env_id=env_id)
    player, seen = RandomPolicy(f"agent/{seed}"), [observation.model_dump_json()]
    while not observation.done:
        observation = environment.step(TextArenaAction(message=player.select_action(observation)))
        seen.append(observation.model_dump_json())
    return seen


def every_game() -> list[str]:
    """One id for each class of game that plays; the one that takes longest is left out."""
    found = {catalogue.registry()[env_id].entry_point: env_id for env_id in reversed(catalogue.env_ids())}
    ids = [env_id for entry_point, env_id in found.items() if "SettlersOfCatan" not in entry_point]
    return [
        env_id for env_id in ids if (Path(__file__).parents[1] / "docs/games.md").read_text().count(f"| `{env_id}` | |") == 0
    ]


def digest(env_ids: Sequence[str]) -> str:
    """Return a digest of an episode of each game."""
    return hashlib.sha256("".join(line for env_id in env_ids for line in played(env_id, 6)).encode()).hexdigest()


@pytest.mark.parametrize("env_id", GAMES)
def test_the_same_seed_gives_the_same_episode(env_id: str) -> None:
    used = TextArenaEnvironment(max_turns=8)
    played("Wordle-v0", 99, used)
    for seed in (2**70, -3):
        assert played(env_id, seed, used) == played(env_id, seed)
    assert len({tuple(played(env_id, seed, used)) for seed in range(3)}) > 1


def test_a_seed_and_its_negative_differ() -> None:
    assert played("2048-v0", 1) != played("2048-v0", -1)


@pytest.mark.parametrize(
    "games", [pytest.param("t.GAMES[:6]", id="some"), pytest.param("t.every_game()", id="all", marks=pytest.mark.long)]
)
def test_every_process_plays_the_same_episodes(games: str) -> None:
    code = f"import test_textarena_seeds as t; print(t.digest(({games})))"
    found = set()
    for hash_seed in ("1", "2"):
        path = os.pathsep.join([str(Path(__file__).parent), *sys.path])
        variables = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": path}
        found.add(subprocess.check_output([sys.executable, "-c", code], env=variables, text=True))
    assert len(found) == 1


@pytest.mark.parametrize("env_id", GAMES)
def test_the_generators_of_the_process_are_neither_read_nor_moved(env_id: str) -> None:
    random.seed(1)
    np.random.seed(1)
    before, numpy_before = random.getstate(), np.random.get_state()[1].tolist()
    first = played(env_id, 5)
    TextArenaEnvironment(env_id, max_turns=3).reset()
    assert random.getstate() == before
    assert np.random.get_state()[1].tolist() == numpy_before
    random.seed(2)
    np.random.seed(2)
    assert played(env_id, 5) == first


def test_sessions_in_threads_do_not_disturb_one_another() -> None:
    episodes = [(env_id, 0) for env_id in GAMES] + [("Sokoban-v0", 1), ("Wordle-v0", 1)]
    alone = [played(*episode) for episode in episodes]
    together = threading.Barrier(8)

    def at_once(episode: tuple[str, int]) -> list[str]:
        together.wait(60)
        return played(*episode)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(at_once, episodes))
            same = list(pool.map(at_once, [("Sokoban-v0", seed % 2) for seed in range(8)]))
    finally:
        sys.setswitchinterval(interval)
    assert found == alone
    assert same == [alone[episodes.index(("Sokoban-v0", seed % 2))] for seed in range(8)]


def test_textarenas_own_users_in_the_same_process_are_left_alone() -> None:
    played("2048-v0", 0)
    import textarena

    boards = []
    for _ in range(2):
        random.seed(4)
        game = textarena.make("2048-v0")
        game.reset(num_players=1)
        boards.append(game.get_observation())
    assert boards[0] == boards[1]
    random.seed(5)
    game.reset(num_players=1)
    assert game.get_observation() != boards[0], "outside an episode the games draw from the process, as ever"


def test_a_server_plays_many_sessions_at_once() -> None:
    expected = {seed: played("Poker-v0-small", seed) for seed in range(6)}

    def remote(url: str, seed: int) -> list[str]:
        with TextArenaEnv(base_url=url).sync() as env:
            result = env.reset(seed=seed, env_id="Poker-v0-small", max_turns=8)
            player, seen = RandomPolicy(f"agent/{seed}"), [result.observation.model_dump_json()]
            while not result.done:
                result = env.step(TextArenaAction(message=player.select_action(result.observation)))
                seen.append(result.observation.model_dump_json())
            return seen

    with running(create_app(TextArenaEnvironment, env_name="textarena")) as url, ThreadPoolExecutor(6) as pool:
        found = dict(zip(range(6), pool.map(lambda seed: remote(url, seed), range(6)), strict=True))
    assert found == expected

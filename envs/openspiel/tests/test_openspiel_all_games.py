"""Every game that OpenSpiel registers, and the table that says so."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from serving import running

from openenv.server import create_app
from openspiel_env import OpenSpielEnv
from openspiel_env.policies import policies_for
from openspiel_env.server.environment import OpenSpielEnvironment
from openspiel_env.server.parameters import REGISTERED

HOME = Path(__file__).parents[1]
SCRIPT = HOME / "scripts" / "games_table.py"


@pytest.fixture(scope="module")
def table() -> ModuleType:
    spec = importlib.util.spec_from_file_location("games_table", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["games_table"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def rows(table: ModuleType) -> dict[str, list[str]]:
    lines = re.findall(r"^\| (`\w+`.*) \|$", table.DOCUMENT.read_text(), re.MULTILINE)
    return {line.split("`")[1]: line.split(" | ") for line in lines}


def test_the_table_has_every_game_with_what_openspiel_says_of_it(table: ModuleType, rows: dict[str, list[str]]) -> None:
    assert sorted(rows) == sorted(REGISTERED)
    for name, cells in rows.items():
        said = list(table.said(name))
        assert cells[: len(said)] == said


def test_what_the_table_tells_of_some_games_happens(table: ModuleType, rows: dict[str, list[str]]) -> None:
    with running(create_app(OpenSpielEnvironment, env_name="openspiel")) as url, OpenSpielEnv(base_url=url).sync() as env:
        for name in ("blotto", "colored_trails", "leduc_poker", "mfg_garnet", "misere", "skat", "tarok"):
            assert rows[name][-3:] == list(table.played(env, name)), name


@pytest.mark.long
@pytest.mark.timeout(900)
def test_the_table_is_what_a_server_plays() -> None:
    done = subprocess.run([sys.executable, str(SCRIPT), "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.long
@pytest.mark.timeout(900)
def test_a_seed_decides_every_game(table: ModuleType) -> None:
    for name in sorted(REGISTERED):
        for opponent_policy in ("random",) if name.startswith("mfg_") else ("random", "none"):
            assert _episode(table, name, opponent_policy) == _episode(table, name, opponent_policy), (name, opponent_policy)


def _episode(table: ModuleType, name: str, opponent_policy: str) -> list[str]:
    environment = OpenSpielEnvironment(name, table.PARAMETERS.get(name), opponent_policy=opponent_policy)
    policy = policies_for(name, 1)[0]
    observation = environment.reset(seed=1)
    seen = [observation.model_dump_json()]
    while not observation.done:
        observation = environment.step(policy.act(observation))
        seen.append(observation.model_dump_json())
    return seen

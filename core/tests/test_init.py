"""`openenv init` writes an environment that is whole."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from commanding import started
from generated import CORE, install, own_tests, run_in

import openenv
from openenv import AutoEnv, GenericEnvClient
from openenv.adapters.gymnasium_folder import gymnasium_folder
from openenv.client.tools import MCPToolClient
from openenv.contract.tools import CallToolAction
from openenv.errors import UsageError
from openenv.hub.names import environment_name
from openenv.hub.scaffold import TEMPLATES, scaffold

NAMES = ["my_game", "my-game", "MyGame", "my game", "myGame", "my_game_env", "openenv-my-game-env"]


@pytest.mark.parametrize("given", NAMES)
def test_all_names_come_from_any_spelling(given: str) -> None:
    assert environment_name(given) == ("my_game", "my_game_env", "openenv-my-game-env", "MyGame", "My game")


@pytest.mark.parametrize(
    "given", ["", "2048", "class", "env", "openenv", "a/b", "../x", "jeu_d'été", "été", "a" * 41, "-o", "a\nb"]
)
def test_what_cannot_be_a_name_is_refused_in_one_line(given: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as refused:
        scaffold(given, tmp_path)
    assert "\n" not in str(refused.value)
    assert list(tmp_path.iterdir()) == []


def test_the_command_writes_a_folder_once(tmp_path: Path) -> None:
    def init(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([sys.executable, "-m", "openenv.cli", "init", *arguments], capture_output=True, text=True)

    first = init("My Game", "-o", str(tmp_path / "new"))
    assert first.returncode == 0, first.stderr
    written = {path: path.read_bytes() for path in (tmp_path / "new" / "my_game").rglob("*") if path.is_file()}
    assert written
    second = init("my_game", "-o", str(tmp_path / "new"))
    assert second.returncode == 2
    assert "my_game exists already" in second.stderr
    assert "Traceback" not in second.stderr
    assert {path: path.read_bytes() for path in written} == written
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["my_game"]
    unknown = init("other", "-o", str(tmp_path), "--template", "chess")
    assert unknown.returncode == 2
    assert "no template 'chess'" in unknown.stderr


KINDS = [*TEMPLATES, "gymnasium"]


def written(kind: str, parent: Path, name: str = "my game") -> Path:
    """Write a folder of a template, or around an environment of Gymnasium."""
    if kind == "gymnasium":
        return gymnasium_folder(name, parent, "CartPole-v1", {})[0]
    return scaffold(name, parent, kind)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["my_game", "zebra-2"])
def test_nothing_is_left_to_fill_in_and_ruff_finds_nothing(kind: str, name: str, tmp_path: Path) -> None:
    folder = written(kind, tmp_path, name)
    for path in folder.rglob("*"):
        assert "{{" not in path.name
        assert path.is_dir() or "{{" not in path.read_text()
    run_in(folder, "ruff", "check", ".")
    run_in(folder, "ruff", "format", "--check", ".")


def test_a_server_of_each_folder_plays_an_episode(tmp_path: Path) -> None:
    folders = {kind: written(kind, tmp_path, f"my {kind}") for kind in KINDS}
    with GenericEnvClient.from_process(str(folders["game"])).sync() as env:
        env.reset(seed=1)
        assert env.step({"guess": 1}).observation["guesses_left"] == 6
        for guess in range(2, 7):
            env.step({"guess": guess})
        assert env.render()["text/plain"].splitlines()[-1] == "1 guess left"
    with MCPToolClient.from_process(str(folders["tools"])).sync() as agent:
        agent.reset(seed=1)
        assert agent.call_tool("weigh", left=[1], right=[2]) in ("left", "right", "equal")
        assert agent.step(CallToolAction(tool_name="answer", arguments={"box": 3})).done
    with GenericEnvClient.from_process(str(folders["gymnasium"])).sync() as env:
        result, steps = env.reset(seed=1), 0
        while not result.done:
            result, steps = env.step({"action": 0}), steps + 1
        assert (result.terminated, 5 < steps < 15, result.observation["observed"].shape) == (True, True, (4,))


def test_the_tests_of_a_fresh_folder_begin_without_a_warning(tmp_path: Path) -> None:
    folder = written("game", tmp_path)
    begun = [sys.executable, "-m", "pytest", "-q", "--collect-only", "-p", "no:cacheprovider"]
    variables = {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder / "src"), str(CORE / "src")])}
    done = subprocess.run(begun, cwd=folder, env=variables, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert "warning" not in done.stdout.lower()


@pytest.mark.parametrize("kind", ["tools", "gymnasium"])
def test_a_folder_passes_its_own_tests(kind: str, tmp_path: Path) -> None:
    own_tests(written(kind, tmp_path))


@pytest.mark.long
@pytest.mark.timeout(300)
@pytest.mark.parametrize("kind", KINDS)
def test_a_folder_installed_from_its_wheel_passes_its_tests_validates_and_is_served_by_its_name(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = written(kind, tmp_path / "written")
    install(folder, tmp_path)
    site = tmp_path / "site"
    shutil.rmtree(folder / "src")
    own_tests(folder, installed=site)
    assert "broken" not in run_in(folder, "openenv.cli", "validate", "my_game", installed=site)
    assert "my_game" in run_in(folder, "openenv.cli", "list", installed=site)
    monkeypatch.setenv("PYTHONPATH", str(site))
    monkeypatch.syspath_prepend(str(site))
    for module in [name for name in sys.modules if name.partition(".")[0] == "my_game_env"]:
        monkeypatch.delitem(sys.modules, module)
    with started("my_game") as (_, url), AutoEnv.from_env("my-game", base_url=url).sync() as env:
        assert type(env.async_client).__name__ == "MyGameEnv"
        assert not env.reset(seed=3).done
    for name in [name for name in sys.modules if name.partition(".")[0] == "my_game_env"]:
        monkeypatch.delitem(sys.modules, name)


@pytest.mark.long
@pytest.mark.timeout(300)
@pytest.mark.parametrize("kind", KINDS)
def test_a_folder_passes_mypy_and_validates(kind: str, tmp_path: Path) -> None:
    folder = written(kind, tmp_path)
    run_in(folder, "mypy", "--explicit-package-bases", "-p", "my_game_env")
    assert "broken" not in run_in(folder, "openenv.cli", "validate")
    own_tests(folder)


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("kind", KINDS)
def test_what_init_says_next_works_in_an_empty_environment(kind: str, tmp_path: Path) -> None:
    """The printed commands, with this package from a folder of wheels and all else from the index."""
    folder = written(kind, tmp_path)
    run_in(CORE, "hatchling", "build", "-t", "wheel", "-d", str(tmp_path / "wheels"))
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    bin_folder = tmp_path / "venv" / ("Scripts" if os.name == "nt" else "bin")
    surroundings = {**os.environ, "PIP_FIND_LINKS": str(tmp_path / "wheels"), "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    surroundings["PATH"] = f"{bin_folder}{os.pathsep}{surroundings['PATH']}"
    for command in (
        ["python", "-m", "pip", "install", "-q", "pip>=25.1"],
        ["pip", "install", "-q", "-e", ".[server]", "--group", "test"],
        ["pytest", "-q"],
        ["openenv", "validate"],
    ):
        done = subprocess.run(
            [bin_folder / command[0], *command[1:]], cwd=folder, env=surroundings, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.long
def test_the_wheel_has_the_templates(tmp_path: Path) -> None:
    run_in(CORE, "hatchling", "build", "-t", "wheel", "-d", str(tmp_path))
    (wheel,) = tmp_path.glob("*.whl")
    root = Path(openenv.__file__).parent
    templates = {path.relative_to(root.parent).as_posix() for path in root.rglob("*.tmpl")}
    assert templates
    assert templates <= set(zipfile.ZipFile(wheel).namelist())

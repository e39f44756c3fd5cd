"""`openenv init` writes an environment that is whole."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import openenv
from openenv import GenericEnvClient
from openenv.errors import UsageError
from openenv.hub.names import environment_name
from openenv.hub.scaffold import TEMPLATES, scaffold

CORE = Path(openenv.__file__).parents[2]
NAMES = ["my_game", "my-game", "MyGame", "my game", "myGame", "my_game_env", "openenv-my-game-env"]


def run(folder: Path, *arguments: str) -> str:
    """Run a module of Python in a folder whose `src` can be imported, and return what it said; it must not fail."""
    paths = os.pathsep.join([str(folder / "src"), str(CORE / "src")])
    done = subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": paths, "MYPYPATH": paths},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


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


@pytest.mark.parametrize("template", TEMPLATES)
@pytest.mark.parametrize("name", ["my_game", "zebra-2"])
def test_nothing_is_left_to_fill_in_and_ruff_finds_nothing(template: str, name: str, tmp_path: Path) -> None:
    folder = scaffold(name, tmp_path, template)
    for path in folder.rglob("*"):
        assert "{{" not in path.name
        assert path.is_dir() or "{{" not in path.read_text()
    run(folder, "ruff", "check", ".")
    run(folder, "ruff", "format", "--check", ".")


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_server_of_the_folder_plays(template: str, tmp_path: Path) -> None:
    folder = scaffold("my game", tmp_path, template)
    with GenericEnvClient.from_process(str(folder)).sync() as env:
        env.reset(seed=1)
        assert env.step({"guess": 1}).observation["guesses_left"] == 6


@pytest.mark.long
@pytest.mark.parametrize("template", TEMPLATES)
def test_the_folder_passes_its_own_tests_and_mypy(template: str, tmp_path: Path) -> None:
    folder = scaffold("my game", tmp_path, template)
    told = run(folder, "pytest", "-q", "-p", "no:cacheprovider", "-W", "ignore")
    assert "failed" not in told
    run(folder, "mypy", "--explicit-package-bases", "-p", "my_game_env")


@pytest.mark.long
def test_the_wheel_has_the_templates(tmp_path: Path) -> None:
    run(CORE, "hatchling", "build", "-t", "wheel", "-d", str(tmp_path))
    (wheel,) = tmp_path.glob("*.whl")
    root = Path(openenv.__file__).parent
    templates = {path.relative_to(root.parent).as_posix() for path in root.rglob("*.tmpl")}
    assert templates
    assert templates <= set(zipfile.ZipFile(wheel).namelist())

"""`openenv validate`: whole environments pass, and each kind of fault is found and told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from commanding import ENVIRONMENT, ENVS, flat_folder, run, started
from serving import running
from starlette.applications import Starlette

PROJECT = """
[project]
name = "parrot-env"
version = "1.0"
requires-python = ">=3.11"
dependencies = ["openenv-core>=0.4"]
"""
DOCKERFILE = """
FROM python:3.11 AS build
USER nobody
FROM python:3.11
# USER nobody
CMD python -m openenv.server parrot.server.app:app
"""


def findings(*arguments: str, code: int) -> dict[str, tuple[str, str]]:
    done = run("validate", "--json", *arguments)
    assert done.returncode == code, done.stdout + done.stderr
    report = json.loads(done.stdout)
    assert report["kept"] is (code == 0)
    return {finding["rule"]: (finding["verdict"], finding["told"]) for finding in report["findings"]}


def whole_folder(at: Path) -> Path:
    (flat_folder(at) / "pyproject.toml").write_text(PROJECT)
    return at


@pytest.mark.long
@pytest.mark.parametrize("name", sorted(folder.parent.name for folder in ENVS.glob("*/openenv.yaml")))
def test_the_environments_here_pass(name: str) -> None:
    found = findings(str(ENVS / name), code=0)
    assert found["dependencies"][0] == found["seeding"][0] == found["cross_talk"][0] == "kept"


def test_a_folder_passes_and_the_table_tells_its_warnings(tmp_path: Path) -> None:
    done = run("validate", str(whole_folder(tmp_path)), "--level", "runtime", "--output", str(tmp_path / "report.json"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "there is no Dockerfile" in done.stdout
    assert "trying state\n" in done.stderr
    assert json.loads((tmp_path / "report.json").read_text())["kept"] is True


def test_a_server_is_held_to_the_contract(tmp_path: Path) -> None:
    folder = whole_folder(tmp_path)
    code = folder / "server" / "app.py"
    code.write_text(ENVIRONMENT.replace("reward=0.0", "reward=7.0"))
    with started(str(folder)) as (_, url):
        found = findings(url, code=1)
    assert found["reward_range"][0] == "broken"
    assert "7.0" in found["reward_range"][1]
    assert found["answering"] == found["state"] == ("kept", "")
    assert "manifest" not in found


@pytest.mark.long
def test_a_step_that_hangs_ends_the_examination(tmp_path: Path) -> None:
    folder = whole_folder(tmp_path)
    code = folder / "server" / "app.py"
    code.write_text(ENVIRONMENT.replace("self._state.step_count += 1", "__import__('time').sleep(20)"))
    found = findings(str(folder), "--timeout", "8", code=1)
    assert list(found.values())[-1] == ("broken", "not through after the 8 s that all rules have together")


@pytest.mark.parametrize(
    ("file", "content", "rule", "verdict", "told"),
    [
        ("openenv.yaml", "name: parrot\n", "manifest", "broken", "spec_version: 1"),
        ("openenv.yaml", "{", "manifest", "broken", "cannot be read"),
        ("openenv.yaml", "spec_version: 1\nname: a\napp: other.app:app\nport: 1\n", "layout", "broken", "no such module"),
        ("pyproject.toml", "[project]\nname = 'a'\nversion = '1'\n", "project", "broken", "openenv-core"),
        ("pyproject.toml", PROJECT.replace(">=0.4", ">=99"), "dependencies", "broken", "openenv-core>=99 (here is"),
        ("pyproject.toml", PROJECT.replace('>=0.4"', '", "no-such-thing"'), "dependencies", "broken", "no-such-thing"),
        ("Dockerfile", DOCKERFILE, "dockerfile", "warning", "as root"),
        ("Dockerfile", DOCKERFILE, "dockerfile", "warning", "HEALTHCHECK"),
        ("Dockerfile", DOCKERFILE, "dockerfile", "warning", "exec form"),
        ("Dockerfile", DOCKERFILE.replace("FROM", "FRUM"), "dockerfile", "warning", "no FROM"),
    ],
)
def test_what_is_wrong_in_a_folder_is_told(file: str, content: str, rule: str, verdict: str, told: str, tmp_path: Path) -> None:
    (whole_folder(tmp_path) / file).write_text(content)
    found = findings(str(tmp_path), "--level", "static", code=int(verdict == "broken"))
    assert found[rule][0] == verdict
    assert told in found[rule][1]
    assert "starting" not in found


def test_code_that_does_not_load_is_a_finding(tmp_path: Path) -> None:
    (whole_folder(tmp_path) / "server" / "app.py").write_text("import no_such_module\n")
    found = findings(str(tmp_path), code=1)
    assert found["starting"][0] == "broken"
    assert "no_such_module" in found["starting"][1]


def test_a_url_without_an_environment_is_told_once(tmp_path: Path) -> None:
    """Nothing is there; something else is there; and in production mode nobody may play."""
    assert findings("http://127.0.0.1:1", code=1).keys() == {"answering"}
    with running(Starlette()) as url:
        verdict, told = findings(url, code=1)["answering"]
    assert (verdict, told) == ("broken", f"{url}/schema answers 404, and an environment's server tells its schema there")
    with started(str(whole_folder(tmp_path)), "--mode", "production") as (_, url):
        done = run("validate", url)
    assert (done.returncode, done.stdout) == (2, "")
    assert "production mode" in done.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    "arguments",
    [["no_such"], ["http://"], ["http://localhost:1", "--level", "static"], ["127.0.0.1:1"], ["--output", "no/such/file"]],
)
def test_what_cannot_be_examined_is_told(arguments: list[str]) -> None:
    done = run("validate", *arguments)
    assert done.returncode == 2, done.stdout + done.stderr
    assert done.stderr.splitlines()[-1].startswith("openenv: ")
    assert "Traceback" not in done.stderr

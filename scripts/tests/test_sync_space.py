"""A Space becomes what its environment's folder is, and runs."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hub_stand_in import TOKEN
from hub_writes import READ_ONLY, WritableHub
from scripting import ROOT, last_line, program, script, small_checkout, version
from serving import running

from openenv import GenericEnvClient

HERE = {"UV_PROJECT_ENVIRONMENT": sys.prefix, "UV_NO_SYNC": "1", "UV_OFFLINE": "1", "PYTHONPATH": ":".join(sys.path)}
"""Lets uv run a project with the packages of this test's own interpreter, and install nothing."""


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[WritableHub]:
    """A Hub without Spaces, to which this process and the scripts that it starts are logged in as `me`."""
    stand_in = WritableHub(tmp_path / "hub")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    variables = {"HF_HOME": str(tmp_path / "home"), "HF_HUB_DISABLE_XET": "1", "HF_TOKEN": TOKEN, "SPACE_OWNER": "me"}
    with running(stand_in.app()) as url:
        stand_in.url = url
        for name, value in {**variables, "HF_ENDPOINT": url}.items():
            monkeypatch.setenv(name, value)
        yield stand_in


def test_a_space_is_made_of_the_folder_and_runs(hub: WritableHub) -> None:
    done = script("sync-space", "echo")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == f"echo is at {hub.url}/spaces/me/echo"
    space = hub.spaces["me/echo"]
    assert space.commits == [f"Sync with openenv-echo-env {version('echo')}"]
    for name in ("Dockerfile", "openenv.yaml", "pyproject.toml", "src/echo_env/server/app.py"):
        assert space.files()[name] == (ROOT / "envs" / "echo" / name).read_bytes()
    with GenericEnvClient.from_env("me/echo", use_docker=False, env_vars=HERE).sync() as env:
        env.reset()
        assert env.step({"message": "synced"}).observation["echoed_message"] == "synced"


def test_a_space_follows_its_folder(hub: WritableHub, tmp_path: Path) -> None:
    checkout = small_checkout(tmp_path / "checkout", "echo")
    folder = checkout / "envs" / "echo"
    (folder / "old.md").write_text("old")
    assert program("sync_space", checkout, "echo").returncode == 0
    (folder / "old.md").unlink()
    (folder / "new.md").write_text("new")
    dry = program("sync_space", checkout, "echo", "--dry-run")
    assert (dry.returncode, "would call: create_commit(" in dry.stdout) == (0, True)
    assert "old.md" in hub.spaces["me/echo"].files()
    done = program("sync_space", checkout, "echo", "--base-image", "ghcr.io/me/openenv-base:1.0")
    assert done.returncode == 0, done.stderr
    files = hub.spaces["me/echo"].files()
    assert ("old.md" in files, files["new.md"]) == (False, b"new")
    assert b"ARG BASE_IMAGE=ghcr.io/me/openenv-base:1.0\n" in files["Dockerfile"]


@pytest.mark.long
def test_every_environment_has_its_space(hub: WritableHub) -> None:
    for name in json.loads(script("matrix").stdout)["spaces"]:
        done = script("sync-space", name)
        assert done.returncode == 0, f"{name}: {done.stderr}"
    names = {path.name for path in (ROOT / "envs").iterdir() if (path / "openenv.yaml").is_file()}
    assert {space.rpartition("/")[2] for space in hub.spaces} == names


@pytest.mark.parametrize(
    ("name", "variables", "code", "told"),
    [
        ("nothing", {}, 2, "there is no package 'nothing'"),
        ("core", {}, 2, "core is no environment"),
        ("echo", {"SPACE_OWNER": ""}, 2, "SPACE_OWNER is not set"),
        ("echo", {"SPACE_OWNER": "not a name"}, 2, "'not a name/echo' is no name of a Space"),
        ("echo", {"SPACE_OWNER": "somebody"}, 1, "somebody/echo"),
        ("echo", {"HF_TOKEN": READ_ONLY}, 1, "me/echo"),
        ("echo", {"HF_TOKEN": "hf_of_a_stranger"}, 1, "log"),
    ],
)
def test_what_cannot_be_synced_is_told(hub: WritableHub, name: str, variables: dict[str, str], code: int, told: str) -> None:
    done = program("sync_space", ROOT, name, variables=variables)
    assert done.returncode == code
    assert told in last_line(done)
    assert hub.spaces == {}

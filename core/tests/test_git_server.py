"""Working copies of a git server's repositories, beside those that the published package makes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import published_package
import pytest
from git_host import PASSWORD, USER, GitHost, git

from openenv.errors import ServerError, UsageError
from openenv.launch.git_server import GitServerClient

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")

VERSION = "0.10.0"


@pytest.fixture
def host(tmp_path: Path) -> GitHost:
    return GitHost(tmp_path / "host")


@pytest.fixture
def url(host: GitHost) -> Iterator[str]:
    with host.serving() as url:
        yield url


@pytest.fixture
def client(url: str, tmp_path: Path) -> GitServerClient:
    client = GitServerClient(url, USER, PASSWORD, str(tmp_path / "work"))
    assert client.wait_for_ready(10)
    return client


def test_a_reset_undoes_what_an_agent_committed_and_brings_what_is_new(client: GitServerClient, host: GitHost) -> None:
    copy = Path(client.clone_to_workspace("demo"))
    (copy / "file.txt").write_text("mine")
    git(copy, "commit", "--quiet", "--all", "--message", "mine")
    git(copy, "checkout", "--quiet", "-b", "work")
    latest = host.commit("three")
    host.push()
    client.reset_workspace("demo")
    assert client.get_current_commit("demo") == latest
    assert client.execute_git_command("branch --show-current", "demo") == (0, "main\n", "")


def test_only_copies_in_the_workspace_are_replaced(client: GitServerClient, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    for target in (str(kept), "../kept", ".", "", ".."):
        with pytest.raises(UsageError, match="may be replaced"):
            client.clone_to_workspace("demo", target)
    assert kept.exists()
    assert client.clone_to_workspace("demo", str(tmp_path / "new")) == str(tmp_path / "new")
    with pytest.raises(UsageError, match="is no commit"):
        client.clone_to_workspace("demo", commit="--orphan")


def test_every_page_is_listed_and_a_wrong_password_told(client: GitServerClient, url: str, tmp_path: Path) -> None:
    first, second = client.list_repositories()
    assert first == {"name": "demo", "full_name": f"{USER}/demo", "clone_url": "/demo.git", "description": ""}
    assert second["name"] == "other"
    stranger = GitServerClient(url, USER, "guessed", str(tmp_path))
    assert stranger.wait_for_ready(10)
    for call in (stranger.list_repositories, lambda: stranger.clone_to_workspace("demo")):
        with pytest.raises(ServerError, match=r"401|does not take the password"):
            call()


@pytest.mark.interop
@pytest.mark.long
@pytest.mark.timeout(300)
def test_the_published_package_makes_the_same_copies(url: str, tmp_path: Path) -> None:
    published_package.needed(VERSION)
    without_ours = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    program = str(published_package.PROGRAMS / "drive_git.py")
    seen = []
    for command, environment in (
        (published_package.command(VERSION, "drive_git.py"), without_ours),
        ([sys.executable, program], dict(os.environ)),
    ):
        folder = tmp_path / "copies"
        done = subprocess.run(
            [*command, url, USER, PASSWORD, str(folder)], capture_output=True, text=True, timeout=200, env=environment
        )
        assert done.returncode == 0, done.stderr
        seen.append(json.loads(done.stdout))
        shutil.rmtree(folder)
    assert seen[1] == seen[0]

"""Repositories of a Gitea server as working copies, for environments whose agents work on code."""

from __future__ import annotations

import base64
import os
import shlex
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from ..errors import ServerError, UsageError

POLL_S = 0.2
REQUEST_TIMEOUT_S = 30.0

ASKED_AGAIN = "terminal prompts disabled"
"""What git says where the server has refused its credentials and it has nobody to ask for others."""


@dataclass
class RepoInfo:
    """A repository and the state of it that a task begins from.

    Attributes:
        name: of the repository.
        url: where people look at it.
        commit: the state.
        clone_url: where `git` finds it.
    """

    name: str
    url: str
    commit: str
    clone_url: str


class GitServerClient:
    """Clones and resets the repositories that a user of a Gitea server owns.

    It runs `git`, which must be installed. The password is handed to it in its environment: it is in no file, in no URL and on
    no command line.

    Args:
        gitea_url: the server, `http://gitea:3000`.
        username: who asks, and owns the repositories.
        password: of that user.
        workspace_dir: where the working copies go; made where it is missing.
    """

    def __init__(self, gitea_url: str, username: str, password: str, workspace_dir: str = "/workspace") -> None:
        self.gitea_url = gitea_url.rstrip("/")
        self.username = username
        self.password = password
        self.workspace_dir = Path(workspace_dir)
        self.workspace_dir.mkdir(parents=True, exist_ok=True)
        self.is_ready = False
        self._environment = {**os.environ, **_signed_in(self.gitea_url, username, password)}

    def wait_for_ready(self, timeout: int = 30) -> bool:
        """Wait until the server answers, at most so many seconds, and return whether it did; the other calls need it."""
        deadline = time.monotonic() + timeout
        while not self._answers(max(POLL_S, deadline - time.monotonic())):
            if time.monotonic() + POLL_S >= deadline:
                return False
            time.sleep(POLL_S)
        self.is_ready = True
        return True

    def list_repositories(self) -> list[dict[str, str]]:
        """Return `name`, `full_name`, `clone_url` and `description` of each repository of the user.

        Raises:
            ServerError: the server refused, or cannot be reached.
            UsageError: nobody waited for the server.
        """
        self._check_ready()
        found: list[dict[str, str]] = []
        page: str | None = f"{self.gitea_url}/api/v1/user/repos"
        try:
            with httpx.Client(auth=(self.username, self.password), timeout=REQUEST_TIMEOUT_S) as http:
                while page is not None:
                    answer = http.get(page).raise_for_status()
                    found += [_told(repository) for repository in answer.json()]
                    page = answer.links.get("next", {}).get("url")
        except httpx.HTTPError as error:
            raise ServerError(f"the repositories of {self.username} cannot be listed: {error}") from error
        return found

    def clone_to_workspace(self, repo_name: str, target_dir: str | None = None, commit: str = "main") -> str:
        """Clone a repository, in place of what is in the target, and return where.

        Args:
            repo_name: of one of the user's repositories.
            target_dir: a folder of the workspace, or a path of its own where nothing is yet. None: named as the repository.
            commit: a branch, a tag, a commit, or what else `git checkout` takes.

        Raises:
            ServerError: there is no such repository or commit, or the server cannot be reached.
            UsageError: nobody waited for the server, or the target is in use outside of the workspace.
        """
        self._check_ready()
        target = self._emptied(repo_name if target_dir is None else target_dir)
        url = f"{self.gitea_url}/{self.username}/{repo_name}.git"
        self._git(f"{repo_name} cannot be cloned", ["clone", "--", url, str(target)], self.workspace_dir)
        self._check_out(target, commit)
        return str(target)

    def reset_workspace(self, repo_name: str, commit: str = "main") -> bool:
        """Make a working copy what the server has: no changes, no files of its own, no commits on the branch. Returns True.

        Raises:
            ServerError: there is no such commit, or the server cannot be reached.
            UsageError: nobody waited for the server, or there is no such working copy.
        """
        self._check_ready()
        copy = self._copy(repo_name)
        self._git(f"{repo_name} cannot be fetched", ["fetch", "--all", "--tags", "--force", "--prune"], copy)
        self._git(f"{repo_name} cannot be reset", ["reset", "--hard"], copy)
        self._check_out(copy, commit)
        self._git(f"{repo_name} cannot be cleaned", ["clean", "-ffdx"], copy)
        return True

    def execute_git_command(self, command: str, working_dir: str = "") -> tuple[int, str, str]:
        """Run `git` and return its exit code and what it wrote to standard output and standard error.

        Args:
            command: what follows `git`, quoted as for a shell: `log -1 --format='%s'`. No shell runs it.
            working_dir: a folder of the workspace, which it is where this is empty.

        Raises:
            UsageError: the quotes do not match.
        """
        where = self.workspace_dir / working_dir
        if not where.is_dir():
            return 1, "", f"there is no folder {where}"
        try:
            arguments = shlex.split(command)
        except ValueError as error:
            raise UsageError(f"{command!r} is no command: {error}") from None
        done = self._run(arguments, where)
        return done.returncode, done.stdout, done.stderr

    def get_current_commit(self, repo_name: str) -> str:
        """Return the commit that a working copy is at. Raises `UsageError` where there is no such copy."""
        return self._git(f"{repo_name} has no commit", ["rev-parse", "HEAD"], self._copy(repo_name)).strip()

    def workspace_exists(self, repo_name: str) -> bool:
        """Return whether there is a working copy of that name."""
        return (self.workspace_dir / repo_name / ".git").exists()

    def _answers(self, timeout_s: float) -> bool:
        try:
            return httpx.get(f"{self.gitea_url}/", timeout=timeout_s).status_code == httpx.codes.OK
        except httpx.HTTPError:
            return False

    def _check_ready(self) -> None:
        if not self.is_ready:
            raise UsageError(f"it is not known whether {self.gitea_url} answers: call wait_for_ready() first")

    def _copy(self, repo_name: str) -> Path:
        if not self.workspace_exists(repo_name):
            raise UsageError(f"there is no working copy {repo_name} in {self.workspace_dir}: call clone_to_workspace()")
        return self.workspace_dir / repo_name

    def _emptied(self, name: str) -> Path:
        """Return a folder with nothing in it; what is deleted for that is in the workspace, and not the workspace itself."""
        target, workspace = (self.workspace_dir / name).resolve(), self.workspace_dir.resolve()
        if target.exists():
            if workspace not in target.parents:
                raise UsageError(f"{target} is in use, and not in {workspace}: choose a target_dir that may be replaced")
            shutil.rmtree(target)
        return self.workspace_dir / name

    def _check_out(self, copy: Path, commit: str) -> None:
        """Bring a working copy to a commit; a branch of the server's to where it stands there."""
        if commit.startswith("-"):
            raise UsageError(f"{commit!r} is no commit")
        branch = self._run(["show-ref", "--verify", "--quiet", f"refs/remotes/origin/{commit}"], copy).returncode == 0
        arguments = ["-B", commit, "--track", f"origin/{commit}"] if branch else [commit]
        self._git(f"{copy.name} has no {commit}", ["checkout", "--force", *arguments, "--"], copy)

    def _git(self, failure: str, arguments: list[str], where: Path) -> str:
        done = self._run(arguments, where)
        if done.returncode != 0:
            refused = f"{self.gitea_url} does not take the password of {self.username}"
            told = refused if ASKED_AGAIN in done.stderr else done.stderr.strip()
            raise ServerError(f"{failure}: {told}")
        return done.stdout

    def _run(self, arguments: list[str], where: Path) -> subprocess.CompletedProcess[str]:
        try:
            return subprocess.run(
                ["git", *arguments],
                cwd=where,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
            )
        except FileNotFoundError:
            raise UsageError("git is not installed, or not on the PATH") from None


def _signed_in(url: str, username: str, password: str) -> dict[str, str]:
    """Return environment variables with which git signs in at a server, and never asks anybody."""
    credentials = base64.b64encode(f"{username}:{password}".encode()).decode()
    there = int(os.environ.get("GIT_CONFIG_COUNT") or 0)
    return {
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_CONFIG_COUNT": str(there + 1),
        f"GIT_CONFIG_KEY_{there}": f"http.{url}/.extraHeader",
        f"GIT_CONFIG_VALUE_{there}": f"Authorization: Basic {credentials}",
    }


def _told(repository: dict[str, Any]) -> dict[str, str]:
    return {name: repository.get(name) or "" for name in ("name", "full_name", "clone_url", "description")}

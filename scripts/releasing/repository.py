"""The git repository that a release is made in."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from .refusal import Failure, Refusal


class Repository:
    """The working copy at a path, by the git command.

    Raises:
        Refusal: there is no git, or no working copy there.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        try:
            asked = self._run("rev-parse", "--verify", "HEAD")
        except FileNotFoundError:
            raise Refusal("there is no git command: install git") from None
        if asked.returncode:
            raise Refusal(f"{root} is no working copy of a git repository with a commit")
        self._head = asked.stdout.strip()

    @property
    def branch(self) -> str:
        """The name of the branch that is checked out, or `HEAD` where none is."""
        return self._run("rev-parse", "--abbrev-ref", "HEAD").stdout.strip()

    @property
    def changes(self) -> list[str]:
        """What is not committed, with what git does not know, as paths."""
        return [line[3:] for line in self._run("status", "--porcelain", "--untracked-files=all").stdout.splitlines()]

    def has_tag(self, tag: str) -> bool:
        """Return whether a tag is there."""
        return self._run("rev-parse", "--quiet", "--verify", f"refs/tags/{tag}").returncode == 0

    def commit(self, paths: Sequence[Path], message: str, tag: str) -> str:
        """Commit files, those that are gone too, tag the commit, and return its short name.

        Raises:
            Failure: git refused; all files are as they were.
        """
        steps = (
            ("add", "--all", "--", *map(str, paths)),
            ("commit", "--quiet", "--message", message),
            ("tag", "--annotate", "--message", message, tag),
        )
        for step in steps:
            done = self._run(*step)
            if done.returncode:
                self._run("reset", "--quiet", "--hard", self._head)
                why = " ".join((done.stderr or done.stdout).split())
                raise Failure(f"git {step[0]} failed, and everything is as it was before: {why}")
        return self._run("rev-parse", "--short", "HEAD").stdout.strip()

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(["git", "-C", str(self._root), *arguments], capture_output=True, text=True)

"""What may be done with a folder that `openenv init` wrote."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import openenv

CORE = Path(openenv.__file__).parents[2]


def run_in(folder: Path, *arguments: str, installed: Path | None = None) -> str:
    """Run a module of Python in a folder whose `src` can be imported, and return what it said; it must not fail.

    Args:
        folder: where it runs.
        arguments: the module and what it is given.
        installed: where the folder's distribution is installed, instead of its `src`.
    """
    paths = os.pathsep.join([str(installed or folder / "src"), str(CORE / "src")])
    done = subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": paths, "MYPYPATH": paths, "NO_COLOR": "1", "COLUMNS": "140"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def own_tests(folder: Path, installed: Path | None = None) -> None:
    """Run a folder's own tests."""
    told = run_in(folder, "pytest", "-q", "-p", "no:cacheprovider", "-W", "ignore", installed=installed)
    assert " passed" in told
    assert "failed" not in told


def install(folder: Path, into: Path) -> None:
    """Build a folder's wheel, and install it with its entry points and nothing else."""
    run_in(folder, "hatchling", "build", "-t", "wheel", "-d", str(into / "dist"))
    (wheel,) = (into / "dist").glob("*.whl")
    run_in(folder, "pip", "install", "-q", "--no-deps", "--no-index", "--target", str(into / "site"), str(wheel))

"""The checkout's scripts as processes, and small checkouts for the programs that they start."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]
SCRIPTS = ROOT / "scripts"

Done = subprocess.CompletedProcess[str]


def script(name: str, *arguments: str, variables: Mapping[str, str] | None = None, timeout_s: float = 110) -> Done:
    """Run a script to its end, with these environment variables besides one's own."""
    return _run([str(SCRIPTS / name), *arguments], None, timeout_s, variables or {})


def program(name: str, checkout: Path, *arguments: str, variables: Mapping[str, str] | None = None) -> Done:
    """Run what a script of this name starts, in another checkout."""
    command = [sys.executable, "-m", f"releasing.{name}", *arguments]
    return _run(command, checkout, 110, {"PYTHONPATH": str(SCRIPTS), **(variables or {})})


def _run(command: list[str], cwd: Path | None, timeout_s: float, variables: Mapping[str, str]) -> Done:
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        cwd=cwd,
        timeout=timeout_s,
        env={**os.environ, **variables},
        stdin=subprocess.DEVNULL,
    )


def small_checkout(at: Path, *names: str) -> Path:
    """Copy core's version and these environments to another place."""
    (at / "core" / "src" / "openenv").mkdir(parents=True)
    for path in ("core/pyproject.toml", "core/src/openenv/version.py"):
        shutil.copy(ROOT / path, at / path)
    for name in names:
        shutil.copytree(ROOT / "envs" / name, at / "envs" / name, ignore=shutil.ignore_patterns("__pycache__", ".*_cache"))
    return at


def version(name: str) -> str:
    """Return the version that stands in a folder, as `tag-target` is told it."""
    (file,) = [*(ROOT / "core/src/openenv" if name == "core" else ROOT / "envs" / name / "src").rglob("version.py")][:1]
    return file.read_text(encoding="utf-8").split('"')[-2]


def last_line(done: Done) -> str:
    """Return the line in which a script tells what is wrong."""
    assert "Traceback" not in done.stderr
    return done.stderr.splitlines()[-1]

"""The files that a build is given."""

from __future__ import annotations

from pathlib import Path

from .ignore_patterns import ignore_patterns, pattern_lines

IGNORE_FILE = ".dockerignore"


def context_files(root: Path) -> list[Path]:
    """Return the files of a folder that an engine is sent, by their path in it: all but what its `.dockerignore` leaves out.

    Raises:
        UsageError: the `.dockerignore` cannot be read.
        MissingExtra: the extra `hub` is not installed.
    """
    own = root / IGNORE_FILE
    lines = pattern_lines(own) if own.is_file() else []
    ignored = ignore_patterns().from_lines(map(_anchored, lines))
    found = (path.relative_to(root) for path in sorted(root.rglob("*")) if path.is_symlink() or path.is_file())
    return [path for path in found if not ignored.match_file(path.as_posix())]


def _anchored(line: str) -> str:
    """Return a line of a `.dockerignore`, whose patterns all begin at the folder, as a `.gitignore` has it."""
    pattern = line.strip()
    if not pattern or pattern.startswith("#"):
        return ""
    not_left_out = "!" * pattern.startswith("!")
    return f"{not_left_out}/{pattern.removeprefix('!').strip().strip('/')}"

"""Patterns of files to leave out, as a `.gitignore` has them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import MissingExtra, UsageError

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec


def ignore_patterns() -> type[GitIgnoreSpec]:
    """Return what makes a matcher of lines. Raises `MissingExtra` where the extra `hub` is not installed."""
    try:
        from pathspec import GitIgnoreSpec
    except ImportError as error:
        raise MissingExtra("this needs the pathspec package: pip install 'openenv-core[hub]'") from error
    return GitIgnoreSpec


def pattern_lines(place: Path) -> list[str]:
    """Return the lines of a file of patterns. Raises `UsageError` where it cannot be read."""
    try:
        return place.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read the patterns in {place}: {error}") from None

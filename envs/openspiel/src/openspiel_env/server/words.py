"""What OpenSpiel says, in words fit for a user."""

from __future__ import annotations

import re

_SOURCE_LINE = re.compile(r"^\S+\.(?:cc|h):\d+\s+")
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def one_line(error: Exception | str) -> str:
    """Return what OpenSpiel says went wrong, without its source lines and line breaks, in at most 300 characters."""
    lines = [_SOURCE_LINE.sub("", line).strip() for line in str(error).splitlines()]
    return "; ".join(line for line in lines if line)[:300]


def plain(text: str) -> str:
    """Return a text without the codes that colour it on a terminal."""
    return _COLOUR.sub("", text)

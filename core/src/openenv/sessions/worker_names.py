"""The names of a server's worker processes, with which the ids of their sessions begin.

A name is `place.start`: which of the places it has, from 0, and how many had that place before it.
"""

from __future__ import annotations

import re

_NAME = re.compile(r"(\d{1,5}\.\d{1,9})\.")


def worker_name(place: int, start: int) -> str:
    """Return the name of a worker process."""
    return f"{place}.{start}"


def worker_of(session_id: str) -> str | None:
    """Return the name of the worker process that a session's id names, or None where it names none."""
    found = _NAME.match(session_id)
    return found[1] if found else None


def place_of(name: str) -> int:
    """Return the place of a worker process."""
    return int(name.partition(".")[0])

"""Sizes as people read them."""

from __future__ import annotations

UNITS = {"GB": 1e9, "MB": 1e6, "kB": 1e3}


def told_size(size_bytes: int) -> str:
    """Return a size in the unit in which it is at least 1: `812 bytes`, `34 kB`, `1.2 MB`, `250 MB`."""
    for unit, one in UNITS.items():
        if size_bytes >= one:
            number = size_bytes / one
            return f"{number:.1f} {unit}" if number < 10 else f"{number:.0f} {unit}"
    return f"{size_bytes} bytes"

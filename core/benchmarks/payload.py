"""What the environments of every side put into their observations."""

from __future__ import annotations

import functools
import math
import random

IMAGE_BYTES = 1_000_000
IMAGE = "image"
ARRAY = "array-"
SMALL = "small"
SMALL_FLOATS = 4
FLOAT_BYTES = 8
THINKING = "thinking"
"""As `small`, with a step that computes for a while."""

THOUGHTS = 5000


def count(kind: str) -> int:
    """Return how many floats an observation holds: 4 in `small` and `thinking`, N in `floats-N` and `array-N`."""
    return SMALL_FLOATS if kind in (SMALL, THINKING) else int(kind.rpartition("-")[2])


@functools.cache
def floats(kind: str) -> list[float]:
    """Return the floats of a kind, most of them with all their digits."""
    return [math.sin(number) for number in range(count(kind))]


@functools.cache
def image() -> bytes:
    """Return bytes that compress as little as those of a picture do."""
    return random.Random(0).randbytes(IMAGE_BYTES)


def think() -> int:
    """Compute for some 0.3 ms, in Python, as an environment's step may."""
    found = 0
    for number in range(THOUGHTS):
        found = (found * 31 + number) % 1_000_003
    return found

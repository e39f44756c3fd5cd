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


def count(kind: str) -> int:
    """Return how many floats an observation holds: 4 in `small`, N in `floats-N` and `array-N`."""
    return SMALL_FLOATS if kind == SMALL else int(kind.rpartition("-")[2])


@functools.cache
def floats(kind: str) -> list[float]:
    """Return the floats of a kind, most of them with all their digits."""
    return [math.sin(number) for number in range(count(kind))]


@functools.cache
def image() -> bytes:
    """Return bytes that compress as little as those of a picture do."""
    return random.Random(0).randbytes(IMAGE_BYTES)

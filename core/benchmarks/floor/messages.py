"""The messages that the other sides exchange, made ready: nobody reads or writes them on this side."""

from __future__ import annotations

import array
import json

import payload

RESET = '{"type":"reset"}'
STEP = '{"type":"step","data":{"amount":1}}'


def reply(kind: str, lanes: int = 0) -> str | bytes:
    """Return what answers a step: text, or bytes where an image or an array would travel as such."""
    if kind == payload.IMAGE:
        return payload.image()
    if kind.startswith(payload.ARRAY):
        return array.array("d", payload.floats(kind)).tobytes()
    seen = {"observation": {"total": 1, "values": payload.floats(kind), "metadata": {}}, "reward": 1.0, "done": False}
    return json.dumps({"type": "observation", "data": [seen] * lanes if lanes else seen}, separators=(",", ":"))


def batch(lanes: int) -> str:
    """Return one step of many lanes."""
    data = {"lanes": list(range(lanes)), "data": [{"amount": 1}] * lanes}
    return json.dumps({"type": "step", **data}, separators=(",", ":"))

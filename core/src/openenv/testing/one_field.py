"""The one field that an action is written with where a bare value stands for it."""

from __future__ import annotations

from typing import Any


def one_field(schema: dict[str, Any]) -> str | None:
    """Return the field that an action needs, or its first where it needs none; None where it needs several or has none.

    Args:
        schema: JSON schema of the action.
    """
    needed = [name for name in schema.get("required", ()) if name != "metadata"]
    if not needed:
        needed = [name for name in schema.get("properties", ()) if name != "metadata"][:1]
    return str(needed[0]) if len(needed) == 1 else None

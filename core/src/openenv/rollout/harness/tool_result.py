"""What a session's tool gave."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from pydantic_core import to_jsonable_python


@dataclass
class ToolResult:
    """What came of a tool that a model called in a session.

    Attributes:
        data: the value, for the model to read; None where there is none.
        done: whether the episode ended with this call.
        metadata: notes for the trainer, which the model does not see.
        error: why there is no value, or None.
    """

    data: Any = None
    done: bool = False
    metadata: dict[str, Any] = field(default_factory=dict)
    error: str | None = None

    def text(self) -> str:
        """Return what the model reads: a text as it is, other values as JSON, and the error where there is no value."""
        if self.data is None:
            return self.error or ""
        return self.data if isinstance(self.data, str) else json.dumps(self.data, sort_keys=True, default=plain)


@dataclass
class ToolTraceEntry:
    """One call of a tool, in the order in which they were made."""

    tool_name: str
    arguments: dict[str, Any]
    result: ToolResult


def plain(value: Any) -> Any:
    """Return a value as JSON has it; what it has no form for as its text."""
    return to_jsonable_python(value, fallback=str)

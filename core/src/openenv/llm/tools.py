"""Tools as models are told of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..errors import UsageError

SCHEMA_NAMES = ("inputSchema", "input_schema", "parameters")
"""How MCP, Anthropic and OpenAI call the JSON schema of a tool's arguments."""


@dataclass(frozen=True)
class ToolForm:
    """A tool's name, what it is for, and the JSON schema of its arguments."""

    name: str
    description: str
    schema: dict[str, Any]

    @classmethod
    def of(cls, tool: dict[str, Any]) -> ToolForm:
        """Return the form of a tool described as MCP, OpenAI or Anthropic do. Raises `UsageError` where it has no name."""
        inner = tool["function"] if tool.get("type") == "function" and "function" in tool else tool
        if "name" not in inner:
            raise UsageError(f"a tool needs a name: {tool!r}")
        schema: dict[str, Any] = next((inner[name] for name in SCHEMA_NAMES if inner.get(name) is not None), {})
        return cls(inner["name"], inner.get("description") or "", {"type": "object", "properties": {}, **schema})

"""Calls of the tools of an environment that is played: which there are, some to draw from, and what one gave."""

from __future__ import annotations

import json
from typing import Any

from ..client.tools import MCPToolClient
from ..contract.tools import Tool

DRAWN_CALLS = 20
"""So many calls of each tool are drawn."""


def tools_at(url: str, action: dict[str, Any]) -> list[Tool]:
    """Return the tools of a server; none where the schema of its actions has no name of a tool."""
    if "tool_name" not in action.get("properties", {}):
        return []
    with MCPToolClient(base_url=url).sync() as client:
        return list(client.list_tools())


def drawn_calls(tools: list[Tool]) -> list[dict[str, Any]]:
    """Return actions that call them with arguments that fit; needs Hypothesis."""
    from ..testing.schema_values import examples, legal

    return [
        {"tool_name": tool.name, "arguments": arguments}
        for tool in tools
        for arguments in examples(legal(tool.input_schema), DRAWN_CALLS)
    ]


def told_tool(tool: Tool) -> str:
    """Say in one line how a tool is called."""
    arguments = ", ".join(tool.input_schema.get("properties", {}))
    return f"  {tool.name}({arguments})  {tool.description.partition(chr(10))[0]}".rstrip()


def told_outcome(observation: dict[str, Any]) -> str | None:
    """Say what a call gave, or why it gave nothing; None where the observation is none of a call."""
    if not observation.get("tool_name"):
        return None
    if (error := observation.get("error")) is not None:
        return f"refused: {error.get('message')}"
    result = observation.get("result")
    return json.dumps(result.get("data", result) if isinstance(result, dict) else result, default=str)

"""Names of an environment's tools beside those of a harness."""

from __future__ import annotations

from collections.abc import Collection

from ...contract.tools import RESERVED_TOOL_NAMES, Tool


def resolve_tool_conflicts(env_tools: list[Tool], harness_builtin_tools: Collection[str], prefix: str = "env_") -> list[Tool]:
    """Return an environment's tools, in order, those whose name the harness has taken with a prefix before it.

    Raises:
        ValueError: two tools have one name, a name is reserved, or the prefixed name is taken too.
    """
    names = [tool.name for tool in env_tools]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"the environment has more than one tool named {', '.join(twice)}")
    if reserved := sorted(RESERVED_TOOL_NAMES.intersection(names)):
        raise ValueError(f"no tool may be named {', '.join(reserved)}: these are for who controls the episode")
    builtin = set(harness_builtin_tools)
    return [
        _renamed(tool, f"{prefix}{tool.name}", builtin.union(names)) if tool.name in builtin else tool for tool in env_tools
    ]


def _renamed(tool: Tool, name: str, taken: set[str]) -> Tool:
    if name in taken:
        raise ValueError(f"the harness has a tool {tool.name} of its own, and {name} is taken too: give another prefix")
    return tool.model_copy(update={"name": name})

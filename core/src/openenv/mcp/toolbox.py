"""The tools of one environment."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ..contract.mode import ServerMode
from ..contract.tools import RESERVED_TOOL_NAMES, ToolErrorType, ToolResult
from ..errors import UsageError
from .failures import ToolFailure, raised_in_tool, unknown_tool
from .function_tool import FunctionTool
from .server_tools import ServerTools, is_server
from .tool_loop import ToolLoop


class Toolbox:
    """Tools from a FastMCP server, from typed functions, or both; a function hides a server's tool of the same name.

    Functions that are not async are called in the caller's thread by `call`. All else runs on a loop of the toolbox's own.

    Args:
        source: a FastMCP server, functions, or None for none yet.

    Raises:
        UsageError: the source is none of these, or its library is not installed.
        ValueError: a function is none that can be a tool, or has a reserved name.
    """

    def __init__(self, source: Any = None) -> None:
        self._loop = ToolLoop()
        self._server: ServerTools | None = None
        self._functions: dict[str, dict[ServerMode | None, FunctionTool]] = {}
        if is_server(source):
            self._server = ServerTools(source)
            self._listed()
        elif isinstance(source, Iterable) and not isinstance(source, str | bytes):
            for function in source:
                self.add(function)
        elif source is not None:
            raise UsageError(f"tools come from a FastMCP server or from a list of typed functions, not from {source!r}")

    def add(self, function: Callable[..., Any], mode: ServerMode | None = None) -> None:
        """Make a function a tool; None in both modes. Raises `ValueError` as the constructor."""
        tool = FunctionTool(function)
        _refuse_reserved([tool.name])
        self._functions.setdefault(tool.name, {})[mode] = tool

    def described(self, mode: ServerMode) -> list[dict[str, Any]]:
        """Return the tools of a mode as MCP lists them."""
        return self._in_mode(mode, self._listed())

    async def described_async(self, mode: ServerMode) -> list[dict[str, Any]]:
        """As `described`."""
        return self._in_mode(mode, [] if self._server is None else await self._loop.run_async(self._list()))

    def call(self, name: str, arguments: dict[str, Any], mode: ServerMode, timeout_s: float | None = None) -> ToolResult:
        """Call a tool and wait for its result. Raises `ToolFailure`; what is awaited past `timeout_s` is cancelled."""
        tool = self._function(name, mode)
        if tool is not None and not tool.is_async:
            return tool.call(arguments)
        try:
            return self._loop.run(self._call(tool, name, arguments), timeout_s)
        except TimeoutError:
            raise _late(name, timeout_s) from None

    async def call_async(
        self, name: str, arguments: dict[str, Any], mode: ServerMode, timeout_s: float | None = None
    ) -> ToolResult:
        """As `call`, without holding up the loop that awaits it, whatever the tool does."""
        tool = self._function(name, mode)
        try:
            return await self._loop.run_async(self._call(tool, name, arguments), timeout_s)
        except TimeoutError:
            raise _late(name, timeout_s) from None

    def callables(self, mode: ServerMode) -> dict[str, Callable[..., Any]]:
        """Return the tools as functions that return values: code may call them by name."""
        return {tool["name"]: self._callable(tool, mode) for tool in self.described(mode)}

    def close(self) -> None:
        """Stop what was started for the tools."""
        self._loop.close()

    def _listed(self) -> list[dict[str, Any]]:
        return [] if self._server is None else self._loop.run(self._list())

    async def _list(self) -> list[dict[str, Any]]:
        assert self._server is not None
        tools = await self._server.described()
        _refuse_reserved([tool["name"] for tool in tools])
        return tools

    def _in_mode(self, mode: ServerMode, of_server: list[dict[str, Any]]) -> list[dict[str, Any]]:
        chosen = [tool for name in self._functions if (tool := self._function(name, mode)) is not None]
        named = {tool.name for tool in chosen}
        return [tool for tool in of_server if tool["name"] not in named] + [tool.described() for tool in chosen]

    def _function(self, name: str, mode: ServerMode) -> FunctionTool | None:
        variants = self._functions.get(name, {})
        return variants.get(mode) or variants.get(None)

    async def _call(self, tool: FunctionTool | None, name: str, arguments: dict[str, Any]) -> ToolResult:
        if tool is not None:
            return await tool.call_async(arguments)
        if self._server is None or name in RESERVED_TOOL_NAMES:
            raise unknown_tool(name)
        return await self._server.call(name, arguments)

    def _callable(self, described: dict[str, Any], mode: ServerMode) -> Callable[..., Any]:
        name = described["name"]
        tool = self._function(name, mode)
        if tool is not None and not tool.is_async:
            return tool.function
        parameters = list(described["inputSchema"].get("properties", {}))

        def call(*values: Any, **arguments: Any) -> Any:
            if len(values) > len(parameters):
                raise TypeError(f"{name} takes {len(parameters)} arguments, and {len(values)} were given")
            given = dict(zip(parameters, values, strict=False))
            try:
                result = self.call(name, {**given, **arguments}, mode)
            except ToolFailure as failure:
                raise raised_in_tool(failure) from None
            if result.is_error:
                raise RuntimeError("\n".join(str(block.get("text", "")) for block in result.content))
            return result.data

        call.__name__, call.__doc__ = name, described.get("description")
        return call


def _late(name: str, timeout_s: float | None) -> ToolFailure:
    within = "in time" if timeout_s is None else f"within {timeout_s:g} s"
    return ToolFailure(ToolErrorType.TIMEOUT, f"tool {name!r} did not end {within}")


def _refuse_reserved(names: list[str]) -> None:
    taken = sorted(RESERVED_TOOL_NAMES.intersection(names))
    if taken:
        reserved = ", ".join(sorted(RESERVED_TOOL_NAMES))
        raise ValueError(f"no tool may be named {', '.join(taken)}: {reserved} are reserved for who controls the episode")

"""The tools of a FastMCP server."""

from __future__ import annotations

import importlib
from typing import Any

from ..contract.running import run_async_safely
from ..contract.tools import ToolResult
from ..errors import UsageError
from .failures import ToolFailure, failed_in, unknown_tool, wrong_arguments


def is_server(source: Any) -> bool:
    """Return whether something is a FastMCP server."""
    return all(callable(getattr(source, name, None)) for name in ("list_tools", "call_tool", "add_tool"))


def library(name: str) -> Any:
    """Return a module of the MCP library. Raises `UsageError` where it is not installed."""
    try:
        return importlib.import_module(name)
    except ImportError:
        raise UsageError("a FastMCP server needs the MCP library: pip install 'openenv-core[mcp]'") from None


def get_server_tools(mcp_server: Any) -> dict[str, Any]:
    """Return a FastMCP server's tools by name, as the library has them; none of what is no such server."""
    if not is_server(mcp_server):
        return {}
    return {tool.name: tool for tool in run_async_safely(mcp_server.list_tools())}


class ServerTools:
    """Lists and calls the tools of a FastMCP server, middleware and mounted servers included.

    Raises:
        UsageError: the library is not installed.
    """

    def __init__(self, server: Any) -> None:
        self.server = server
        self._exceptions = library("fastmcp.exceptions")

    async def described(self) -> list[dict[str, Any]]:
        """Return the tools as MCP lists them."""
        tools = await self.server.list_tools()
        return [{"description": "", **_plain(tool.to_mcp_tool())} for tool in tools]

    async def call(self, name: str, arguments: dict[str, Any]) -> ToolResult:
        """Call a tool. Raises `ToolFailure`."""
        try:
            given = await self.server.call_tool(name, arguments)
        except ToolFailure:
            raise
        except self._exceptions.NotFoundError:
            raise unknown_tool(name) from None
        except self._exceptions.ValidationError as error:
            raise wrong_arguments(str(error)) from None
        except self._exceptions.ToolError as error:
            failure = failed_in(name, error)
            told = str(error)
            raise ToolFailure(failure.error.error_type, told) from error.__cause__ or error
        except Exception as error:
            if type(error).__name__ == "ValidationError":
                raise wrong_arguments(str(error)) from None
            raise failed_in(name, error) from error
        return _result(given)


def _result(given: Any) -> ToolResult:
    content = [_plain(block) for block in given.content]
    structured, meta = given.structured_content, given.meta
    wrapped = bool((meta or {}).get("fastmcp", {}).get("wrap_result")) or (
        structured is not None and structured.keys() == {"result"}
    )
    data = structured
    if wrapped and structured is not None:
        data = structured.get("result")
    elif structured is None and all(block.get("type") == "text" for block in content):
        data = "\n".join(str(block["text"]) for block in content) or None
    is_error = bool(getattr(given, "is_error", False))
    return ToolResult(content=content, structured_content=structured, meta=meta, data=data, is_error=is_error)


def _plain(model: Any) -> dict[str, Any]:
    plain: dict[str, Any] = model.model_dump(mode="json", by_alias=True, exclude_none=True)
    return plain

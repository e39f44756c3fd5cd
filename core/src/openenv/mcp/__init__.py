"""Environments made of tools. Nothing here needs an MCP library, except to serve the tools of a FastMCP server."""

from .environment import MCPEnvironment

__all__ = ["MCPEnvironment"]

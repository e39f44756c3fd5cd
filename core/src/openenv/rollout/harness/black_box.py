"""Harnesses that bring a model of their own, and see of a session only its tools."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...contract.tools import RESERVED_TOOL_NAMES
from ...wire.jsonrpc import JsonRpcErrorCode, JsonRpcResponse, McpMethod
from .adapter import HarnessAdapter
from .model_step import ModelStep
from .rollout_result import HarnessRolloutResult, HarnessRunLimits
from .session import ResourceSession
from .tool_result import plain


class SessionMCPBridge:
    """Answers JSON-RPC requests with a session's tools; nothing else of the session can be reached by it."""

    def __init__(self, session: ResourceSession) -> None:
        self._session = session

    def handle_request(self, request: dict[str, Any]) -> dict[str, Any]:
        """Return the response to a request.

        `tools/list` lists the tools as MCP does. The result of `tools/call` is the tool's `ToolResult` as an object:
        `data`, `done`, `metadata`, `error`. Whatever is wrong, the tool's own failure included, is a response with `error`.
        """
        number = request.get("id")
        if request.get("jsonrpc") != "2.0":
            return _refused(number, JsonRpcErrorCode.INVALID_REQUEST)
        try:
            if request.get("method") == McpMethod.TOOLS_LIST:
                return JsonRpcResponse.success({"tools": self._listed()}, number).model_dump()
            if request.get("method") == McpMethod.TOOLS_CALL:
                return self._call(number, request.get("params") or {})
        except Exception as error:
            return _refused(number, JsonRpcErrorCode.INTERNAL_ERROR, str(error) or type(error).__name__)
        return _refused(number, JsonRpcErrorCode.METHOD_NOT_FOUND)

    def _listed(self) -> list[dict[str, Any]]:
        tools = self._session.list_tools()
        return [{"name": tool.name, "description": tool.description, "inputSchema": tool.input_schema} for tool in tools]

    def _call(self, number: Any, params: dict[str, Any]) -> dict[str, Any]:
        name = params.get("name")
        if not name:
            return _refused(number, JsonRpcErrorCode.INVALID_PARAMS, "params has no name of a tool")
        if name in RESERVED_TOOL_NAMES:
            return _refused(number, JsonRpcErrorCode.INVALID_PARAMS, f"{name} is for who controls the episode: no tool")
        result = self._session.call_tool(name, dict(params.get("arguments") or {}))
        return JsonRpcResponse.success(plain(vars(result)), number).model_dump()


class CLIHarnessAdapter(HarnessAdapter):
    """Hands a session over to a program of your own.

    Args:
        runner: gets the session's tools as a bridge, the session, and the limits, which it is to keep; returns the result.
    """

    def __init__(self, runner: Callable[[SessionMCPBridge, ResourceSession, HarnessRunLimits], HarnessRolloutResult]) -> None:
        self._runner = runner

    def run_white_box(
        self, model_step: ModelStep, session: ResourceSession, limits: HarnessRunLimits | None = None
    ) -> HarnessRolloutResult:
        """Raise `NotImplementedError`: the program asks a model of its own."""
        raise NotImplementedError(f"{type(self).__name__} brings a model of its own: call run_black_box")

    def run_black_box(self, session: ResourceSession, limits: HarnessRunLimits | None = None) -> HarnessRolloutResult:
        """See `HarnessAdapter.run_black_box`."""
        return self._runner(SessionMCPBridge(session), session, limits or HarnessRunLimits())


def _refused(number: Any, code: JsonRpcErrorCode, message: str | None = None) -> dict[str, Any]:
    return JsonRpcResponse.error_response(code, message, request_id=number).model_dump()

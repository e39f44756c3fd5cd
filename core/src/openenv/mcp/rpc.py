"""JSON-RPC messages to an environment's tools. No message reaches anything else of it."""

from __future__ import annotations

from typing import Any

from ..contract.tools import ToolErrorType, ToolResult
from ..wire.jsonrpc import JsonRpcErrorCode, JsonRpcRequest, JsonRpcResponse, McpMethod, read
from .environment import MCPEnvironment
from .failures import ToolFailure

CODES = {
    ToolErrorType.TOOL_NOT_FOUND: JsonRpcErrorCode.INVALID_PARAMS,
    ToolErrorType.INVALID_ARGS: JsonRpcErrorCode.INVALID_PARAMS,
}
"""How MCP words what went wrong before a tool ran."""


def respond(environment: Any, message: dict[str, Any], *, standard: bool) -> dict[str, Any]:
    """Return the answer to a message.

    Args:
        environment: one with tools, or any other, of which this is then told.
        message: a JSON-RPC object.
        standard: word the answer as MCP does, else as OpenEnv's own clients read it.
    """
    request = _checked(environment, message, standard)
    if isinstance(request, JsonRpcResponse):
        return request.model_dump()
    toolbox, mode = environment.toolbox, environment.server_mode
    if request.method == McpMethod.TOOLS_LIST:
        return _success(request, {"tools": toolbox.described(mode)})
    try:
        result = toolbox.call(request.params["name"], request.params.get("arguments") or {}, mode)
    except ToolFailure as failure:
        return _failure(request, failure, standard)
    return _success(request, _worded(result, standard))


async def respond_async(environment: Any, message: dict[str, Any], *, standard: bool) -> dict[str, Any]:
    """As `respond`, for environments that live on an event loop, which no tool holds up."""
    request = _checked(environment, message, standard)
    if isinstance(request, JsonRpcResponse):
        return request.model_dump()
    toolbox, mode = environment.toolbox, environment.server_mode
    if request.method == McpMethod.TOOLS_LIST:
        return _success(request, {"tools": await toolbox.described_async(mode)})
    try:
        result = await toolbox.call_async(request.params["name"], request.params.get("arguments") or {}, mode)
    except ToolFailure as failure:
        return _failure(request, failure, standard)
    return _success(request, _worded(result, standard))


def _checked(environment: Any, message: dict[str, Any], standard: bool) -> JsonRpcRequest | JsonRpcResponse:
    """Return a request that can be done, or the answer to one that cannot."""
    request = read(message)
    if isinstance(request, JsonRpcResponse):
        return request
    if request.method not in (McpMethod.TOOLS_LIST.value, McpMethod.TOOLS_CALL.value):
        return _refused(request, JsonRpcErrorCode.METHOD_NOT_FOUND, f"Method not found: {request.method}")
    if request.method == McpMethod.TOOLS_CALL:
        if not isinstance(request.params.get("name"), str):
            return _refused(request, JsonRpcErrorCode.INVALID_PARAMS, "Missing 'name' in params")
        if not isinstance(request.params.get("arguments") or {}, dict):
            return _refused(request, JsonRpcErrorCode.INVALID_PARAMS, "'arguments' must be an object")
    if not isinstance(environment, MCPEnvironment):
        code = JsonRpcErrorCode.METHOD_NOT_FOUND if standard else JsonRpcErrorCode.INTERNAL_ERROR
        return _refused(request, code, f"{type(environment).__name__} has no tools")
    return request


def _refused(request: JsonRpcRequest, code: JsonRpcErrorCode, told: str) -> JsonRpcResponse:
    return JsonRpcResponse.error_response(code, told, request_id=request.id)


def _success(request: JsonRpcRequest, result: dict[str, Any]) -> dict[str, Any]:
    return JsonRpcResponse.success(result, request.id).model_dump()


def _failure(request: JsonRpcRequest, failure: ToolFailure, standard: bool) -> dict[str, Any]:
    error = failure.error
    if standard and error.error_type not in CODES:
        return _success(request, {"content": [{"type": "text", "text": error.message}], "isError": True})
    code = CODES.get(error.error_type, JsonRpcErrorCode.INTERNAL_ERROR) if standard else JsonRpcErrorCode.INTERNAL_ERROR
    data = {"error_type": error.error_type.value}
    return JsonRpcResponse.error_response(code, error.message, data, request.id).model_dump()


def _worded(result: ToolResult, standard: bool) -> dict[str, Any]:
    if not standard:
        return result.model_dump()
    worded: dict[str, Any] = {"content": result.content, "isError": result.is_error}
    if result.structured_content is not None:
        worded["structuredContent"] = result.structured_content
    if result.meta is not None:
        worded["_meta"] = result.meta
    return worded

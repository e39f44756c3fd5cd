"""Clients that call tools by name."""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar, cast

from pydantic import ConfigDict

from ..contract.models import Observation, State
from ..contract.result import StepResult
from ..contract.tools import CallToolObservation, ListToolsObservation, Tool, ToolErrorType
from ..errors import ExecutionError, InvalidActionError, OpenEnvError, SessionError, StepTimeout, UsageError
from ..launch.provider import RuntimeProvider
from ..wire import messages
from ..wire.jsonrpc import McpMethod
from ..wire.values import ResultReader
from .base import EnvClient
from .pending import PendingCall, not_to_await
from .sync import SyncEnvClient
from .transport import Call

T = TypeVar("T")

MODES = (None, "simulation", "production")


class GenericMCPObservation(Observation):
    """An observation of an environment's own kind, read without knowing it."""

    model_config = ConfigDict(extra="allow")


class MCPClientBase(EnvClient[Any, Observation, State]):
    """Plays an environment made of tools, whose package need not be installed here; it brings no MCP library.

    Steps with `ListToolsAction` and `CallToolAction` belong to the episode; calls of tools by name leave it alone, and are
    all that a server in production mode takes. Both reach the same environment.

    Args:
        mode: `"simulation"` or `"production"`, for older programs: calls are the same in both.

    All others as for `EnvClient`.
    """

    def __init__(
        self,
        base_url: str | None = None,
        connect_timeout_s: float = 10.0,
        message_timeout_s: float = 60.0,
        websocket_ping_interval_s: float | None = 20.0,
        websocket_ping_timeout_s: float | None = 20.0,
        provider: RuntimeProvider | None = None,
        mode: str | None = None,
        max_message_size_mb: float = 100.0,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        if mode not in MODES:
            raise UsageError(f"mode is 'simulation' or 'production', not {mode!r}")
        super().__init__(
            base_url,
            connect_timeout_s,
            message_timeout_s,
            max_message_size_mb,
            websocket_ping_interval_s,
            websocket_ping_timeout_s,
            provider,
            headers=headers,
        )

    def _prepare(self) -> None:
        super()._prepare()
        self._tools: list[Tool] | None = None
        self._numbers = itertools.count(1)
        self._listing_reader = ResultReader(ListToolsObservation)
        self._call_reader = ResultReader(CallToolObservation)
        self._other_reader = ResultReader(GenericMCPObservation)

    def list_tools(self, use_cache: bool = True) -> Awaitable[list[Tool]]:
        """Return the tools that there are; asked of the server once, unless `use_cache` is False. Raises as `step`."""
        return self._of_tools("list_tools", list, use_cache)

    def _of_tools(self, name: str, pick: Callable[[list[Tool]], T], use_cache: bool = True) -> Awaitable[T]:
        """Block and return what `pick` makes of the tools, or return what gives it when awaited: see `EnvClient`."""
        if self._tools is None or not use_cache:
            return self._do(name, self._rpc(McpMethod.TOOLS_LIST, {}), lambda reply: pick(self._listed(reply)))
        value = pick(self._tools)
        if self._blocks():
            return cast("Awaitable[T]", not_to_await(value))

        async def known() -> T:
            return value

        return PendingCall(name, known)

    def _of_tools_blocking(self, pick: Callable[[list[Tool]], T], use_cache: bool = True) -> T:
        if self._tools is None or not use_cache:
            return self._do_blocking(self._rpc(McpMethod.TOOLS_LIST, {}), lambda reply: pick(self._listed(reply)))
        return pick(self._tools)

    def _listed(self, reply: dict[str, Any]) -> list[Tool]:
        tools = [
            Tool(name=tool["name"], description=tool.get("description") or "", input_schema=tool.get("inputSchema") or {})
            for tool in _result("tools/list", reply).get("tools", [])
        ]
        self._tools = tools
        return tools

    def _rpc(self, method: McpMethod, params: dict[str, Any]) -> Call:
        message = {"jsonrpc": "2.0", "method": method.value, "params": params, "id": next(self._numbers)}
        return self._call(messages.MCP, message, None)

    def _parse_result(self, payload: dict[str, Any]) -> StepResult[Observation]:
        inside = payload.get("observation") or {}
        known = "tools" in inside or "tool_name" in inside
        reader: Any = (self._listing_reader if "tools" in inside else self._call_reader) if known else self._other_reader
        try:
            result: StepResult[Observation] = reader.read(payload)
        except InvalidActionError:
            result = self._other_reader.read(payload)  # type: ignore[assignment]
        return result


class MCPToolClient(MCPClientBase):
    """Calls an environment's tools by name: `await env.call_tool("add", a=1, b=2)`."""

    def call_tool(self, name: str, **arguments: Any) -> Awaitable[Any]:
        """Call a tool and return the value that it gave, as plain data.

        Raises:
            InvalidActionError: there is no such tool, or it does not take these arguments.
            ExecutionError: the tool failed.
            StepTimeout: it did not end in time.
            SessionLost: the connection ended, and the session with it.
        """
        return self._do("call_tool", self._tool_call(name, arguments), lambda reply: _value(name, reply))

    def get_tool(self, name: str) -> Awaitable[Tool | None]:
        """Return a tool, or None where there is none of that name. Raises as `list_tools`."""
        return self._of_tools("get_tool", lambda tools: _named(name, tools))

    def has_tool(self, name: str) -> Awaitable[bool]:
        """Return whether there is a tool of that name. Raises as `list_tools`."""
        return self._of_tools("has_tool", lambda tools: _named(name, tools) is not None)

    def sync(self) -> SyncToolClient:
        """Return this client typed for blocking use, which works inside a running loop too."""
        return SyncToolClient(self)

    def _tool_call(self, name: str, arguments: dict[str, Any]) -> Call:
        return self._rpc(McpMethod.TOOLS_CALL, {"name": name, "arguments": arguments})


class SyncToolClient(SyncEnvClient[Any, Observation, State]):
    """As `MCPToolClient`, for blocking use."""

    def __init__(self, async_client: MCPToolClient) -> None:
        super().__init__(async_client)
        self._tool_client = async_client

    def list_tools(self, use_cache: bool = True) -> list[Tool]:
        """See `MCPToolClient.list_tools`."""
        return self._tool_client._of_tools_blocking(list, use_cache)

    def call_tool(self, name: str, **arguments: Any) -> Any:
        """See `MCPToolClient.call_tool`."""
        client = self._tool_client
        return client._do_blocking(client._tool_call(name, arguments), lambda reply: _value(name, reply))

    def get_tool(self, name: str) -> Tool | None:
        """See `MCPToolClient.get_tool`."""
        return self._tool_client._of_tools_blocking(lambda tools: _named(name, tools))

    def has_tool(self, name: str) -> bool:
        """See `MCPToolClient.has_tool`."""
        return self.get_tool(name) is not None


def _named(name: str, tools: list[Tool]) -> Tool | None:
    return next((tool for tool in tools if tool.name == name), None)


def _result(what: str, reply: dict[str, Any]) -> dict[str, Any]:
    """Return a JSON-RPC answer's result, or raise the error that it tells of."""
    error, result = reply.get("error"), reply.get("result")
    if isinstance(error, dict):
        raise _failure(what, str(error.get("message")), error.get("data"))
    if not isinstance(result, dict):
        raise SessionError(f"the server answered {what} with {type(result).__name__} where a result was due")
    return result


def _failure(what: str, message: str, data: Any) -> OpenEnvError:
    kind = data.get("error_type") if isinstance(data, dict) else None
    told = f"Tool '{what}' failed: {message}"
    if kind in (ToolErrorType.TOOL_NOT_FOUND, ToolErrorType.INVALID_ARGS):
        return InvalidActionError(told, error_type=kind)
    if kind == ToolErrorType.TIMEOUT:
        return StepTimeout(told, error_type=kind)
    return ExecutionError(told, error_type=kind)


def _value(name: str, reply: dict[str, Any]) -> Any:
    result = _result(name, reply)
    texts = [str(block.get("text")) for block in result.get("content") or [] if block.get("type") == "text"]
    if result.get("is_error") or result.get("isError"):
        raise ExecutionError(f"Tool '{name}' failed: {' '.join(texts)}", error_type=ToolErrorType.EXECUTION_ERROR.value)
    if "data" in result:
        return result["data"]
    structured = result.get("structuredContent")
    return structured if structured is not None else "\n".join(texts) or None

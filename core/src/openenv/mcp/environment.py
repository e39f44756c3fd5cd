"""The class that an author of an environment made of tools inherits."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any, TypeVar

from ..contract.environment import ActT, Environment, ObsT, StateT
from ..contract.mode import ServerMode
from ..contract.models import Action, Observation
from ..contract.tools import CallToolAction, CallToolObservation, ListToolsAction, ListToolsObservation, Tool, ToolResult
from ..contract.transforms import Transform
from .failures import ToolFailure
from .server_tools import library
from .toolbox import Toolbox

F = TypeVar("F", bound=Callable[..., Any])


class MCPEnvironment(Environment[ActT, ObsT, StateT]):
    """An environment whose agent calls tools, by steps in an episode, or over MCP, which leaves episodes alone.

    Write `reset` and `state`; where there are actions of your own beside tools, also `_step_impl`. Like every environment
    it is built, called and closed in one thread, tools that are plain functions included.

    Args:
        mcp_server: where the tools come from: a FastMCP server, a list of typed functions, or None; `tool` adds further ones.
        transform: what every observation passes through.

    Raises:
        UsageError: the tools come from none of these, or from a FastMCP server and the `[mcp]` extra is not installed.
        ValueError: a tool has a reserved name: `reset`, `step`, `state`, `close`.
    """

    def __init__(self, mcp_server: Any = None, transform: Transform[ObsT] | None = None) -> None:
        super().__init__(transform=transform)
        self.mcp_server = mcp_server
        self.toolbox = Toolbox(mcp_server)
        self.server_mode = ServerMode.SIMULATION

    def tool(self, mode: str | None = None) -> Callable[[F], F]:
        """Return a decorator that makes a typed function a tool: in `"production"`, in `"simulation"`, or None: in both.

        Raises:
            ValueError: there is no such mode, or the function cannot be a tool.
        """
        if mode not in (None, *(known.value for known in ServerMode)):
            raise ValueError(f"a tool's mode is 'simulation', 'production' or None for both, not {mode!r}")

        def decorate(function: F) -> F:
            self.toolbox.add(function, None if mode is None else ServerMode(mode))
            return function

        return decorate

    def step(self, action: Action, timeout_s: float | None = None, **options: Any) -> Any:
        """List or call tools, or do an action of the environment's own.

        What goes wrong in a tool is the observation's `error`; it has no reward.
        """
        if isinstance(action, ListToolsAction):
            return self._transformed(_listed(self.toolbox.described(self.server_mode)))
        if isinstance(action, CallToolAction):
            try:
                result = self.toolbox.call(action.tool_name, action.arguments, self.server_mode, timeout_s)
            except ToolFailure as failure:
                return self._transformed(_failed(action, failure))
            return self._transformed(_called(action, result))
        return self._step_impl(action, timeout_s=timeout_s, **options)

    async def step_async(self, action: Action, timeout_s: float | None = None, **options: Any) -> Any:
        """As `step`, with tools that do not hold up the running loop."""
        if isinstance(action, ListToolsAction):
            return self._transformed(_listed(await self.toolbox.described_async(self.server_mode)))
        if isinstance(action, CallToolAction):
            try:
                result = await self.toolbox.call_async(action.tool_name, action.arguments, self.server_mode, timeout_s)
            except ToolFailure as failure:
                return self._transformed(_failed(action, failure))
            return self._transformed(_called(action, result))
        return self._step_impl(action, timeout_s=timeout_s, **options)

    def _step_impl(self, action: Any, timeout_s: float | None = None, **options: Any) -> Any:
        """Do an action that is about no tool. Raises `ValueError` unless a subclass knows such actions."""
        raise ValueError(f"{type(self).__name__} takes calls of tools, not {type(action).__name__}")

    def _transformed(self, observation: Observation) -> Observation:
        transformed: Observation = self._apply_transform(observation)  # type: ignore[arg-type]
        return transformed

    @property
    def supports_code_mode(self) -> bool:
        """Whether `execute_code` may be called."""
        return True

    def get_callables(self) -> dict[str, Callable[..., Any]]:
        """Return the tools as functions that return values and raise: what code in `execute_code` calls by name."""
        return self.toolbox.callables(self.server_mode)

    def execute_code(self, code: str) -> Observation:
        """Run Python in which every tool is a function; what it leaves in `result` is `metadata["result"]`.

        The code runs in this process with all that this process may do: see that it is confined, or that you trust it.
        What goes wrong is told in `metadata["error"]`. There is no reward.
        """
        names: dict[str, Any] = dict(self.get_callables())
        try:
            exec(compile(code, "<code>", "exec"), names)
        except SyntaxError as error:
            return Observation(metadata={"error": f"Syntax error: {error}"})
        except (Exception, SystemExit) as error:
            return Observation(metadata={"error": str(error) or type(error).__name__})
        return Observation(metadata={"result": names.get("result")})

    @cached_property
    def mcp_client(self) -> Any:
        """A FastMCP client of the environment's FastMCP server, in this process. `async with` connects it.

        Raises:
            UsageError: the `[mcp]` extra is not installed.
        """
        return library("fastmcp").Client(self.mcp_server)

    def mcp_session(self) -> Any:
        """Return the client, to be connected: `async with env.mcp_session() as …`; raises as `mcp_client`."""
        return self.mcp_client

    def close(self) -> None:
        """Stop what the tools needed; a subclass that writes its own calls this."""
        self.toolbox.close()


def _listed(tools: list[dict[str, Any]]) -> ListToolsObservation:
    found = [
        Tool(name=tool["name"], description=tool.get("description") or "", input_schema=tool["inputSchema"]) for tool in tools
    ]
    return ListToolsObservation(tools=found)


def _called(action: CallToolAction, result: ToolResult) -> CallToolObservation:
    return CallToolObservation(tool_name=action.tool_name, result=result)


def _failed(action: CallToolAction, failure: ToolFailure) -> CallToolObservation:
    return CallToolObservation(tool_name=action.tool_name, error=failure.error)

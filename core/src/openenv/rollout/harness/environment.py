"""An environment in which an agent's harness plays, one turn a step."""

from __future__ import annotations

import asyncio
import logging
import uuid
from typing import Any

from pydantic import Field

from ...contract.models import Action, Observation, State
from ...contract.rubric import Rubric
from ...contract.tools import CallToolAction, ListToolsAction, Tool
from ...contract.transforms import Transform
from ...errors import HarnessNotRunningError, HarnessTurnTimeoutError, UsageError
from ...mcp.environment import MCPEnvironment
from ...mcp.server_tools import ServerTools, is_server
from ...mcp.tool_loop import ToolLoop
from .agentic import AgenticHarnessAdapter
from .events import HarnessEvent, HarnessEventType, HarnessResponse, events_to_metadata
from .mcp_bridge import HarnessMCPBridge, build_bridge_server
from .tool_names import resolve_tool_conflicts

logger = logging.getLogger(__name__)


class HarnessAction(Action):
    """What is said to the agent in one turn."""

    message: str = Field(description="What the agent is told")


class HarnessEnvironment(MCPEnvironment[HarnessAction, Observation, State]):
    """Starts a harness with `reset`, and has its agent play a turn with each step.

    An observation's `metadata` has `response`, `turn_events` and `turn_number`; after a reset, `episode_id` and
    `injected_tools`. The rubric scores each turn; without one, a turn is worth 0. A turn that fails is no observation: it is
    raised, the harness is stopped, and a reset starts the next. Calls of tools are for the trainer, and no turns.

    The adapter is awaited on an event loop of the environment's own, whichever way the environment is called.

    Args:
        adapter: runs the harness; one for each environment.
        mcp: a FastMCP server with the environment's tools, which the harness reaches through a bridge. Tools that `tool`
            adds are the trainer's alone.
        rubric: scores a turn.
        transform: what every observation passes through.

    Raises:
        UsageError: `mcp` is no FastMCP server.
        ValueError: a tool has a reserved name: `reset`, `step`, `state`, `close`.
    """

    SUPPORTS_CONCURRENT_SESSIONS = False

    def __init__(
        self,
        adapter: AgenticHarnessAdapter,
        mcp: Any | None = None,
        rubric: Rubric | None = None,
        transform: Transform[Observation] | None = None,
    ) -> None:
        if mcp is not None and not is_server(mcp):
            raise UsageError(f"a harness reaches tools over MCP: give a FastMCP server, not {type(mcp).__name__}")
        super().__init__(mcp, transform=transform)
        self.adapter = adapter
        self.rubric = rubric
        self._loop = ToolLoop()
        self._in_turn = asyncio.Lock()
        self._bridge: HarnessMCPBridge | None = None
        self._state = State()
        self._trajectory: list[HarnessEvent] = []
        self._playing = False
        self._closed = False

    @property
    def state(self) -> State:
        """The episode's name and how many turns it had."""
        return self._state

    @property
    def trajectory(self) -> list[HarnessEvent]:
        """Everything that happened in the episode, in order."""
        return list(self._trajectory)

    def reset(self, seed: int | None = None, episode_id: str | None = None, **kwargs: Any) -> Observation:
        """Start a harness, in place of the one before.

        Args:
            seed: taken, and without effect: a harness has no seed.
            episode_id: a name for the episode; None chooses one.
            kwargs: taken, and without effect.

        Raises:
            HarnessStartupError: it did not start.
            UsageError: the environment has tools, and the `[mcp]` extra is not installed.
        """
        return self._loop.run(self._begin(episode_id))

    async def reset_async(self, seed: int | None = None, episode_id: str | None = None, **kwargs: Any) -> Observation:
        """As `reset`."""
        return await self._loop.run_async(self._begin(episode_id))

    def step(self, action: Action, timeout_s: float | None = None, **kwargs: Any) -> Observation:
        """Have the agent play a turn, or list or call tools as `MCPEnvironment.step` does.

        Args:
            action: a `HarnessAction`, `ListToolsAction` or `CallToolAction`.
            timeout_s: seconds that the turn may take, at most those of the adapter's `session_timeout_s`.

        Raises:
            HarnessNotRunningError: there is no episode, or the harness has ended.
            HarnessTurnTimeoutError: the turn took too long.
            HarnessError: the harness failed.
            TypeError: the action is none of these.
        """
        if isinstance(action, ListToolsAction | CallToolAction):
            told: Observation = super().step(action, timeout_s=timeout_s)
            return told
        return self._loop.run(self._turn(_message_of(action), timeout_s))

    async def step_async(self, action: Action, timeout_s: float | None = None, **kwargs: Any) -> Observation:
        """As `step`."""
        if isinstance(action, ListToolsAction | CallToolAction):
            told: Observation = await super().step_async(action, timeout_s=timeout_s)
            return told
        return await self._loop.run_async(self._turn(_message_of(action), timeout_s))

    def close(self) -> Any:
        """Stop the harness. Twice does no harm.

        Inside a running event loop it is not waited for: what is returned may be awaited, and the harness ends either way.
        """
        if self._closed:
            return None
        self._closed = True
        super().close()
        ending = self._loop.submit(self._end_all())
        if asyncio._get_running_loop() is not None:
            ending.add_done_callback(lambda _: self._loop.close())
            return asyncio.wrap_future(ending)
        ending.result()
        self._loop.close()
        return None

    async def _begin(self, episode_id: str | None) -> Observation:
        async with self._in_turn:
            self._playing = False
            await self._stop()
            await self._reset_rubric_async()
            self._trajectory = []
            try:
                injected = await self._inject()
                await self.adapter.start(self.adapter.config.working_directory)
            except BaseException:
                await self._stop_after_failure()
                raise
            self._state = State(episode_id=episode_id or str(uuid.uuid4()))
            self._playing = True
            told = {"episode_id": self._state.episode_id, "injected_tools": [tool.name for tool in injected]}
            return self._apply_transform(Observation(metadata=told))

    async def _inject(self) -> list[Tool]:
        """Tell the harness of the tools, and serve them."""
        if self.mcp_server is None:
            await self.adapter.inject_tools([], None)
            return []
        described = await ServerTools(self.mcp_server).described()
        tools = [Tool(name=t["name"], description=t["description"], input_schema=t["inputSchema"]) for t in described]
        injected = resolve_tool_conflicts(tools, self.adapter.BUILTIN_TOOL_NAMES)
        url = None
        if injected:
            renames = {new.name: old.name for new, old in zip(injected, tools, strict=True) if new.name != old.name}
            self._bridge = HarnessMCPBridge(await build_bridge_server(self.mcp_server, renames))
            url = await asyncio.to_thread(self._bridge.start)
        await self.adapter.inject_tools(injected, url)
        return injected

    async def _turn(self, action: HarnessAction, timeout_s: float | None) -> Observation:
        async with self._in_turn:
            if not self._playing:
                raise HarnessNotRunningError("there is no episode: reset() starts one")
            try:
                response = await self._answer(action.message, timeout_s)
                self._trajectory += response.events
                self._state.step_count += 1
                return await self._observed(action, response)
            except BaseException as error:
                self._playing = False
                note = {"message": str(error) or type(error).__name__, "recoverable": False}
                self._trajectory.append(HarnessEvent(type=HarnessEventType.ERROR, data=note))
                await self._stop_after_failure()
                raise

    async def _answer(self, message: str, timeout_s: float | None) -> HarnessResponse:
        if not await self.adapter.is_alive():
            raise HarnessNotRunningError(f"{self.adapter.config.name} has ended by itself: reset() starts it again")
        limit = self.adapter.config.session_timeout_s
        if timeout_s is not None:
            limit = min(limit, timeout_s)
        try:
            async with asyncio.timeout(limit) as clock:
                return await self.adapter.send_message(message)
        except TimeoutError:
            if not clock.expired():
                raise
            told = f"the turn of {self.adapter.config.name} took longer than {limit:g} s"
            raise HarnessTurnTimeoutError(told) from None

    async def _observed(self, action: HarnessAction, response: HarnessResponse) -> Observation:
        told = {
            "response": response.response,
            "turn_events": events_to_metadata(response.events),
            "turn_number": self._state.step_count,
        }
        seen = Observation(done=response.done, metadata=told)
        seen.reward = await self._apply_rubric_async(action, seen)
        self._playing = not response.done
        return self._apply_transform(seen)

    async def _stop(self) -> None:
        try:
            await self.adapter.stop()
        finally:
            bridge, self._bridge = self._bridge, None
            if bridge is not None:
                await asyncio.to_thread(bridge.stop)

    async def _stop_after_failure(self) -> None:
        """Stop what runs; what goes wrong in this is logged, since something else is being raised."""
        try:
            await self._stop()
        except Exception:
            logger.exception("%s could not be stopped", self.adapter.config.name)

    async def _end_all(self) -> None:
        async with self._in_turn:
            self._playing = False
            await self._stop()


def _message_of(action: Action) -> HarnessAction:
    if not isinstance(action, HarnessAction):
        raise TypeError(
            f"this environment takes HarnessAction, ListToolsAction and CallToolAction, not {type(action).__name__}"
        )
    return action

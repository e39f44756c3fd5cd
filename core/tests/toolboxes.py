"""Environments made of tools, for tests."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

from openenv import Action, Observation, State
from openenv.contract.tools import CallToolAction, CallToolObservation
from openenv.mcp import MCPEnvironment


class Bump(Action):
    """An action that is about no tool."""

    by: int


class Kit(MCPEnvironment[Bump, CallToolObservation, State]):
    """Tools that are plain functions."""

    SUPPORTS_CONCURRENT_SESSIONS = True

    def __init__(self) -> None:
        super().__init__([self.add, self.nap, self.doze, self.fail, self.count, self.whereabouts])
        self._state = State()
        self._counted = 0
        self._built_in = threading.get_ident()

        @self.tool(mode="production")
        def look() -> str:
            return "the real thing"

        self.tool(mode="simulation")(self.look)

    def add(self, a: int, b: int = 1) -> int:
        """Add two numbers."""
        return a + b

    def nap(self, seconds: float) -> str:
        """Block."""
        time.sleep(seconds)
        return "rested"

    async def doze(self, seconds: float) -> str:
        """Wait without blocking."""
        await asyncio.sleep(seconds)
        return "dozed"

    def look(self) -> str:
        """Look at a model of the thing."""
        return "a model of it"

    def fail(self, why: str) -> str:
        """Raise."""
        raise RuntimeError(why)

    def count(self) -> dict[str, int]:
        """Count one further."""
        self._counted += 1
        return {"count": self._counted}

    def whereabouts(self) -> bool:
        """Whether this thread is the one that the environment was built in."""
        return threading.get_ident() == self._built_in

    def reset(self, seed: int | None = None, episode_id: str | None = None) -> Observation:  # type: ignore[override]
        self._state = State(episode_id=episode_id or "an episode")
        self._counted = 0
        return Observation()

    def _step_impl(self, action: Bump, timeout_s: float | None = None, **options: Any) -> Observation:
        self._counted += action.by
        return Observation(reward=float(action.by))

    @property
    def state(self) -> State:
        return self._state


class Served(Kit):
    """As `Kit`, with tools of a FastMCP server beside."""

    def __init__(self) -> None:
        from fastmcp import FastMCP

        server = FastMCP("kit")
        MCPEnvironment.__init__(self, server)
        self._state = State()
        self._counted = 0
        self._built_in = threading.get_ident()
        for function in (self.add, self.nap, self.doze, self.fail, self.count):
            server.tool(function)


class Waiting(Kit):
    """As `Kit`, living on the server's event loop."""

    async def step_async(self, action: Any, timeout_s: float | None = None, **options: Any) -> Any:
        self._state.step_count += 1
        return await super().step_async(action, timeout_s=timeout_s, **options)


__all__ = ["Bump", "CallToolAction", "Kit", "Served", "Waiting"]

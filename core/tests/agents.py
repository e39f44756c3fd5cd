"""Environments in which a harness plays that is a real process, for tests."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import agent_process

from openenv.contract.models import Action, Observation
from openenv.contract.rubric import Rubric
from openenv.contract.tools import Tool
from openenv.errors import HarnessNotRunningError
from openenv.rollout.harness import AgenticHarnessAdapter, HarnessConfig, HarnessEnvironment, HarnessEvent, HarnessProcess


class ProcessAdapter(AgenticHarnessAdapter):
    """Talks to `agent_process.py`."""

    BUILTIN_TOOL_NAMES = frozenset({"add"})

    def __init__(self, **config: Any) -> None:
        program = [sys.executable, str(Path(agent_process.__file__))]
        super().__init__(HarnessConfig(name="agent", command=program, working_directory=str(Path.cwd()), **config))
        self.process: HarnessProcess | None = None
        self.environment: dict[str, str] = {}

    async def inject_tools(self, tools: list[Tool], bridge_url: str | None = None) -> None:
        self.environment = {} if bridge_url is None else {"TOOLS_URL": bridge_url}

    async def start(self, working_directory: str) -> None:
        self.process = HarnessProcess(self.config.command, working_directory, self.environment)
        await self.process.start(lambda line: line == agent_process.READY)

    async def stop(self) -> None:
        if self.process is not None:
            await self.process.stop()

    async def is_alive(self) -> bool:
        return self.process is not None and self.process.is_running()

    async def send_message_streaming(self, message: str) -> AsyncIterator[HarnessEvent]:
        assert self.process is not None
        await self.process.write_line(message)
        while (line := await self.process.read_line()) is not None:
            event = HarnessEvent.model_validate(json.loads(line))
            yield event
            if event.type == "turn_complete":
                return
        raise HarnessNotRunningError(f"the agent ended in its turn: {self.process.drain_stderr().strip()}")


class Politeness(Rubric):
    def forward(self, action: Action, observation: Observation) -> float:
        return float("please" in observation.metadata["response"])


def kit() -> Any:
    """A FastMCP server; the harness has a tool `add` of its own."""
    from fastmcp import FastMCP

    server = FastMCP("kit")

    @server.tool
    def add(a: int, b: int = 1) -> int:
        """Add two numbers."""
        return a + b

    return server


class Talk(HarnessEnvironment):
    """A harness with one tool, whose turns are scored."""

    SUPPORTS_CONCURRENT_SESSIONS = True

    def __init__(self) -> None:
        super().__init__(ProcessAdapter(), mcp=kit(), rubric=Politeness())

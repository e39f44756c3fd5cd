"""An agent's harness as an environment talks to it: turn by turn."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from typing import ClassVar

from ...contract.tools import Tool
from ...errors import HarnessError
from .config import HarnessConfig
from .events import HarnessEvent, HarnessEventType, HarnessResponse


class AgenticHarnessAdapter(ABC):
    """Runs one harness, a process with a conversation that goes on from turn to turn.

    Inherit and write the five abstract methods. All are awaited on one event loop, one at a time.

    Args:
        config: how to run it.
    """

    BUILTIN_TOOL_NAMES: ClassVar[frozenset[str]] = frozenset()
    """The names of tools that the harness has of its own, which an environment's tools then get out of the way of."""

    def __init__(self, config: HarnessConfig) -> None:
        self.config = config

    @abstractmethod
    async def start(self, working_directory: str) -> None:
        """Start the harness. Raises `HarnessStartupError` where it is not ready in time."""

    @abstractmethod
    async def stop(self) -> None:
        """End the harness and let go of what it held; does nothing where it is not running."""

    @abstractmethod
    async def inject_tools(self, tools: list[Tool], bridge_url: str | None = None) -> None:
        """Tell the harness of an environment's tools, before it starts.

        Args:
            tools: under names that are free in the harness.
            bridge_url: the MCP server (Streamable HTTP) that has them; None where there are no tools.
        """

    @abstractmethod
    def send_message_streaming(self, message: str) -> AsyncIterator[HarnessEvent]:
        """Play one turn: say something and yield what happens. The last event is of type `TURN_COMPLETE`."""

    @abstractmethod
    async def is_alive(self) -> bool:
        """Return whether the harness is running."""

    async def send_message(self, message: str) -> HarnessResponse:
        """Play one turn and return what it gave.

        Raises:
            HarnessError: the events ended without a `TURN_COMPLETE`.
        """
        events = [event async for event in self.send_message_streaming(message)]
        if not events or events[-1].type is not HarnessEventType.TURN_COMPLETE:
            raise HarnessError(f"{self.config.name} ended its turn without {HarnessEventType.TURN_COMPLETE}")
        given = events[-1].data
        return HarnessResponse(response=str(given.get("response", "")), events=events, done=bool(given.get("done", False)))

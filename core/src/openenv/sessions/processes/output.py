"""What a process prints."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from typing import cast

logger = logging.getLogger("openenv.environment")

KEPT_LINES = 40
LONGEST_LINE = 2000
FLOOD_LINES = 200
FLOOD_BYTES = 16 * 1024
FLOOD_PAUSE_S = 0.02
"""Of more lines at once than that the last ones count, and after more bytes nothing is read for a while: who prints
without end holds up itself alone."""


class Output(asyncio.Protocol):
    """Logs the lines of a process's standard error as they come, and keeps the last ones.

    Args:
        name: stands before each line in the log.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._lines: deque[str] = deque(maxlen=KEPT_LINES)
        self._begun = b""
        self._transport: asyncio.ReadTransport | None = None
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @property
    def lines(self) -> list[str]:
        """The last lines, oldest first."""
        return list(self._lines)

    @property
    def last(self) -> str:
        """The line that says most of how the process ended, or ''.

        That is its last one, but where Python itself broke down, the one that says so and not the traceback below it.
        """
        lines = [line for line in self._lines if line.strip()]
        fatal = [line for line in lines if line.startswith("Fatal Python error")]
        return (fatal or lines or [""])[-1].strip()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.ReadTransport, transport)

    def data_received(self, data: bytes) -> None:
        *lines, self._begun = (self._begun + data).split(b"\n")
        if len(self._begun) > LONGEST_LINE:
            lines.append(self._begun)
            self._begun = b""
        for line in lines[-FLOOD_LINES:]:
            self._keep(line)
        if len(data) >= FLOOD_BYTES and self._transport is not None and not self._transport.is_closing():
            self._transport.pause_reading()
            asyncio.get_running_loop().call_later(FLOOD_PAUSE_S, self._go_on, self._transport)

    def connection_lost(self, error: Exception | None) -> None:
        if self._begun:
            self._keep(self._begun)
            self._begun = b""
        if not self.ended.done():
            self.ended.set_result(None)

    def close(self) -> None:
        """Read no more."""
        if self._transport is not None:
            self._transport.close()

    def _keep(self, line: bytes) -> None:
        text = line[:LONGEST_LINE].decode(errors="replace").rstrip()
        self._lines.append(text)
        logger.info("%s: %s", self._name, text)

    @staticmethod
    def _go_on(transport: asyncio.ReadTransport) -> None:
        if not transport.is_closing():
            transport.resume_reading()

"""A connection that has just been accepted, until it has said whom it is for."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

from .head import ANYWHERE, END, LONGEST_HEAD, Destination, destination

HEAD_WITHIN_S = 5.0
"""A connection that has said less than a head by then goes to whichever worker has the least to do."""

LOOK_AGAIN_AFTER_S = 0.01


class Newcomer:
    """Looks at what a connection says first, and leaves it there for the worker process to read.

    Args:
        connection: does not block.
        found: is given the connection and where it is to go.
        gone: is called instead where it ended first.
    """

    def __init__(
        self,
        connection: socket.socket,
        found: Callable[[socket.socket, Destination], None],
        gone: Callable[[socket.socket], None],
    ) -> None:
        self._connection = connection
        self._found = found
        self._gone = gone
        self._loop = asyncio.get_running_loop()
        self._again: asyncio.TimerHandle | None = None
        self._late = self._loop.call_later(HEAD_WITHIN_S, self._settle, ANYWHERE)
        self._look()

    def _look(self) -> None:
        try:
            head = self._connection.recv(LONGEST_HEAD, socket.MSG_PEEK)
        except BlockingIOError:
            self._loop.add_reader(self._connection, self._look)
            return
        except OSError:
            head = b""
        if not head:
            self._stop()
            self._gone(self._connection)
        elif END in head or len(head) == LONGEST_HEAD:
            self._settle(destination(head))
        else:  # what is there already would wake the loop again and again
            self._loop.remove_reader(self._connection)
            self._again = self._loop.call_later(LOOK_AGAIN_AFTER_S, self._look)

    def _settle(self, where: Destination) -> None:
        self._stop()
        self._found(self._connection, where)

    def _stop(self) -> None:
        self._late.cancel()
        if self._again is not None:
            self._again.cancel()
        self._loop.remove_reader(self._connection)

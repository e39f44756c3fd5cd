"""The parent's hold on one worker process."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import signal
import socket
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ...errors import OpenEnvError
from ...sessions.slots import Slots
from ...sessions.worker_names import place_of
from .channel import Channel, Message

if TYPE_CHECKING:
    from .parent import Parent

TOO_MANY_PAUSE_S = 0.05
"""The system lets only so many connections be under way from process to process."""


class Link:
    """What the parent knows of a worker process, from its start to its end.

    Args:
        name: the worker's.
        handoff: connections go through this socket.
        parent: is told when the worker is ready, and when it has ended.

    Attributes:
        open: whether it takes connections.
        drained: whether it was told to stop, and its calls in flight have finished.
        ready: is done once it does, with what it said of itself, or with why it never will.
        unused: whether nobody has used it for as long as a server may lie unused.
    """

    def __init__(self, name: str, handoff: socket.socket, parent: Parent) -> None:
        self.name = name
        self.place = place_of(name)
        self.open = False
        self.drained = False
        self.unused = False
        self.ready: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        self.started = asyncio.get_running_loop().time()
        self._parent = parent
        self._handoff = handoff
        self._channel: Channel | None = None
        self._pid: int | None = None
        self._slots: Slots | None = None
        self._held = 0
        self._asking: dict[int, asyncio.Task[None]] = {}
        self._connections = 0
        self._handed = 0
        self._arrived = 0
        self._leaving: deque[socket.socket] = deque()
        self._ended = False

    async def listen(self, control: socket.socket) -> None:
        """Begin to hear what the worker says."""
        self._channel = await Channel.open(control, self._receive, self._lost)

    @property
    def load(self) -> int:
        """How much the worker has to do: environments, and connections."""
        return self._held + self._connections + self._handed - self._arrived

    def admit(self, slots: Slots) -> None:
        """Let the worker take slots and connections."""
        self._slots = slots
        self.open = True

    def hand(self, connection: socket.socket) -> None:
        """Pass a connection on; it is the worker's from now on."""
        self._handed += 1
        self._leaving.append(connection)
        if len(self._leaving) == 1:
            self._flush()

    def stop(self) -> None:
        """Tell the worker to finish what runs."""
        self._say("stop")

    def end(self) -> None:
        """Tell the worker, which has finished what ran, to close its connections and end."""
        self._say("end")

    def counts(self, taken: int, waiting: int) -> None:
        """Tell the worker how many slots are taken and awaited in all."""
        self._say("counts", taken=taken, waiting=waiting)

    def _say(self, kind: str, **fields: Any) -> None:
        if self._channel is not None:
            self._channel.say(kind, **fields)

    def kill(self) -> None:
        """End the worker at once."""
        if self._pid is not None and not self._ended:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGKILL)

    def _receive(self, message: Message) -> None:
        receivers: dict[str, Callable[..., None]] = {
            "ready": self._on_ready,
            "failed": self._on_failed,
            "take": self._on_take,
            "cancel": self._on_cancel,
            "back": self._on_back,
            "connections": self._on_connections,
            "drained": self._on_drained,
        }
        receivers[message.pop("type")](**message)

    def _on_ready(self, pid: int, **facts: Any) -> None:
        self._pid = pid
        self.ready.set_result(facts)

    def _on_failed(self, told: str) -> None:
        self.ready.set_exception(OpenEnvError(told))

    def _on_take(self, number: int, count: int) -> None:
        asking = self._asking[number] = asyncio.get_running_loop().create_task(self._take(number, count))
        asking.add_done_callback(lambda _: self._asked(number))
        self._parent.counts_changed()

    async def _take(self, number: int, count: int) -> None:
        assert self._slots is not None
        try:
            await self._slots.take(count)
        except OpenEnvError as error:
            self._say("refused", number=number, code=error.code, message=error.message, details=error.details)
        else:
            self._held += count
            self._say("given", number=number, count=count)

    def _asked(self, number: int) -> None:
        del self._asking[number]
        self._parent.counts_changed()

    def _on_cancel(self, number: int) -> None:
        asking = self._asking.get(number)
        if asking is not None:
            asking.cancel()

    def _on_back(self, count: int) -> None:
        assert self._slots is not None
        self._held -= count
        self._slots.give_back(count)
        self._parent.counts_changed()

    def _on_connections(self, count: int, arrived: int, unused: bool) -> None:
        self._connections, self._arrived, self.unused = count, arrived, unused
        if unused:
            self._parent.unused()

    def _on_drained(self) -> None:
        self.open = False
        self.drained = True
        self._parent.drained(self)

    def _flush(self) -> None:
        loop = asyncio.get_running_loop()
        while self._leaving and not self._ended:
            try:
                socket.send_fds(self._handoff, [b"c"], [self._leaving[0].fileno()])
            except BlockingIOError:
                loop.add_writer(self._handoff, self._flush)
                return
            except OSError as error:
                if error.errno == errno.ETOOMANYREFS:
                    loop.call_later(TOO_MANY_PAUSE_S, self._flush)
                break  # else the worker has just ended, which its channel tells
            self._leaving.popleft().close()
        if not self._ended:
            loop.remove_writer(self._handoff)

    def _lost(self) -> None:
        """The worker has ended: its slots come back, and what it has not been handed yet goes elsewhere."""
        self._ended, self.open = True, False
        asyncio.get_running_loop().remove_writer(self._handoff)
        self._handoff.close()
        for asking in self._asking.values():
            asking.cancel()
        if self._slots is not None:
            self._slots.give_back(self._held)
        if not self.ready.done():
            self.ready.set_exception(OpenEnvError("it ended before it was ready"))
        self._parent.ended(self, [*self._leaving])

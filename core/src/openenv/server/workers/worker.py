"""A worker process: it serves the connections that its parent passes on."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
from pathlib import Path
from types import FrameType
from typing import Any

import uvicorn

from ...errors import OpenEnvError, UsageError, from_code
from ...sessions.registry import Registry
from ..draining import LOOP_ENDS_WITHIN_S, SOCKETS_CLOSE_WITHIN_S, DrainingServer, registry_of, show_log, uvicorn_config
from ..ending import stop_with
from ..naming import app_named
from .channel import Channel, Message
from .neighbours import Neighbours
from .onward import onward_protocol
from .shared_slots import SharedSlots

TAKEN_OVER_AT_ONCE = 64
BACKLOG = 2048

STOP_HEARD_WITHIN_S = 1.0
"""A worker that does nothing for so long after it was told to stop is waited for no longer by the others."""


def check(app: Any, workers: int) -> Registry:
    """Return the sessions of an app. Raises `UsageError` where it cannot be served by so many workers."""
    registry = registry_of(app)
    if registry is None:
        raise UsageError(f"workers={workers} needs an app that create_app made: others have no slots to share")
    if not registry.several:
        raise UsageError(
            f"workers={workers}, but {registry.spec.name} serves one session at a time: declare "
            "SUPPORTS_CONCURRENT_SESSIONS = True where that is so, or set isolation='process'"
        )
    return registry


def live(app: Any, terms: dict[str, Any], ends: list[int]) -> int:
    """Be a worker until the parent says stop or is gone; return the exit code.

    Args:
        app: the app, or its name.
        terms: `name` of this worker, number of `workers`, `folder` of their sockets, `log_level`.
        ends: descriptors of the channel, of what connections come through, and of a pipe that ends with the parent.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    stop_with(ends[2])
    control, handoff = socket.socket(fileno=ends[0]), socket.socket(fileno=ends[1])
    show_log(terms["log_level"])
    try:
        app = app_named(app) if isinstance(app, str) else app
        registry = check(app, terms["workers"])
    except OpenEnvError as error:
        control.sendall(json.dumps({"type": "failed", "told": error.message}).encode() + b"\n")
        return 1
    neighbours = Neighbours(terms["name"], terms["workers"], Path(terms["folder"]))
    app.state.neighbours = neighbours
    config = uvicorn_config(app, registry.settings, terms["log_level"], onward_protocol(neighbours))
    _Server(config, registry, neighbours, control, handoff).run()
    with contextlib.suppress(OSError):  # the parent does this, if it still can
        neighbours.own_address.unlink()
        neighbours.own_address.parent.rmdir()
    return 0


class _Server(DrainingServer):
    """Has no port: connections come from the parent, and from other workers.

    Args:
        control: speaks with the parent.
        handoff: connections come through it, one with each byte.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        registry: Registry,
        neighbours: Neighbours,
        control: socket.socket,
        handoff: socket.socket,
    ) -> None:
        super().__init__(config, registry)
        self._sessions = registry
        self._neighbours = neighbours
        self._control = control
        self._handoff = handoff
        self._channel: Channel
        self._slots: SharedSlots
        self._may_end = asyncio.Event()
        self._arrived = 0
        self._beginning: set[asyncio.Task[Any]] = set()
        self._reported = (0, 0, False)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        loop = asyncio.get_running_loop()
        own = self._sessions.own_slots
        self._channel = await Channel.open(self._control, self._receive, self._lost)
        self._slots = SharedSlots(self._channel, own.capacity)
        self._sessions.join(self._neighbours.name, self._slots)
        await super().startup(sockets=[])
        address = self._neighbours.own_address
        address.unlink(missing_ok=True)
        self.servers.append(await loop.create_unix_server(self._protocol, str(address), backlog=BACKLOG))
        self._handoff.setblocking(False)
        loop.add_reader(self._handoff, self._take_over)
        settings = self._sessions.settings
        drained_within_s = settings.drain_timeout_s + STOP_HEARD_WITHIN_S
        self._channel.say(
            "ready",
            pid=os.getpid(),
            capacity=own.capacity,
            queue_timeout_s=own.queue_timeout_s,
            hint=own.hint,
            ping_interval_s=settings.ping_interval_s,
            ping_timeout_s=settings.ping_timeout_s,
            drained_within_s=drained_within_s,
            ends_within_s=drained_within_s + 2 * settings.close_timeout_s + 2 * SOCKETS_CLOSE_WITHIN_S + LOOP_ENDS_WITHIN_S,
        )

    async def drained(self) -> None:
        """Wait for the other workers where all of them stop: calls of theirs may come by connections of this one."""
        self._channel.say("drained")
        await self._may_end.wait()
        asyncio.get_running_loop().remove_reader(self._handoff)

    async def on_tick(self, counter: int) -> bool:
        now = (len(self.server_state.connections) + len(self._beginning), self._arrived, self.is_unused())
        if now != self._reported:
            self._reported = now
            self._channel.say("connections", count=now[0], arrived=now[1], unused=now[2])
        return await super().on_tick(counter)

    def end_unused(self) -> None:
        """Leave it to the parent, which knows whether the other workers are unused too."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """SIGINT goes to every process of a terminal, and the parent heeds it; the parent also kills those that are late."""
        if sig != signal.SIGINT:
            self.should_exit = True

    def _protocol(self) -> asyncio.Protocol:
        made: asyncio.Protocol = self.config.http_protocol_class(  # type: ignore[call-arg]
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )
        return made

    def _take_over(self) -> None:
        """Serve the connections that the parent has passed on."""
        loop = asyncio.get_running_loop()
        for _ in range(TAKEN_OVER_AT_ONCE):
            try:
                told, descriptors, _, _ = socket.recv_fds(self._handoff, 1, 1)
            except BlockingIOError:
                return
            if not told:
                loop.remove_reader(self._handoff)
                return
            self._arrived += 1
            for descriptor in descriptors:
                connection = socket.socket(fileno=descriptor)
                connection.setblocking(False)
                beginning = loop.create_task(self._begin(connection))
                self._beginning.add(beginning)
                beginning.add_done_callback(self._beginning.discard)

    async def _begin(self, connection: socket.socket) -> None:
        try:
            await asyncio.get_running_loop().connect_accepted_socket(self._protocol, connection)
        except OSError:  # it has ended meanwhile
            connection.close()

    def _receive(self, message: Message) -> None:
        kind = message.pop("type")
        if kind == "given":
            self._slots.given(**message)
        elif kind == "refused":
            error = from_code(message["code"], message["message"], **message["details"])
            self._slots.refused(message["number"], error)
        elif kind == "counts":
            self._slots.counts(**message)
        elif kind == "end":
            self._may_end.set()
        else:
            self.should_exit = True

    def _lost(self) -> None:
        """The parent is gone."""
        self.should_exit = True
        self._may_end.set()

"""A TCP proxy that fails on purpose, at an exact byte of either direction."""

from __future__ import annotations

import asyncio
import enum
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any, NamedTuple
from urllib.parse import urlsplit

UP, DOWN = "up", "down"
"""The directions: from the client to the server, and back."""


class Cut(enum.Enum):
    """What can happen to a connection."""

    RESET = "both sides get a TCP reset"
    FINISH = "both sides get an orderly end"
    STALL = "nothing passes any more, either way, and nobody is told"
    HALF_CLOSE = "the receiver of this direction gets an orderly end; the other direction goes on"
    DELAY = "this direction waits for a while"


class Fault(NamedTuple):
    """Something that happens once so many bytes have passed in a direction, and none more.

    Attributes:
        direction: `UP` or `DOWN`.
        at: bytes; with 0 it happens when the first ones come, and none of them passes.
        action: what happens.
        delay_s: how long, for a delay.
    """

    direction: str
    at: int
    action: Cut
    delay_s: float = 0.0


class Link:
    """One connection through the proxy.

    Attributes:
        passed: bytes so far, by direction.
        head: the first bytes of the client: its request line and headers.
    """

    def __init__(self, client: socket.socket, faults: Iterable[Fault]) -> None:
        self.passed = {UP: 0, DOWN: 0}
        self.head = b""
        self._client = client
        self._faults: list[Fault] = []
        for fault in faults:
            self.add(fault)
        self._flows = asyncio.Event()
        self._flows.set()
        self._cut: asyncio.Future[Cut] = asyncio.get_running_loop().create_future()

    async def run(self, target: tuple[str, int]) -> None:
        """Carry bytes until both directions have ended or the connection is cut."""
        server = socket.socket()
        server.setblocking(False)
        action = Cut.RESET
        pumps: list[asyncio.Task[Any]] = []
        try:
            await asyncio.get_running_loop().sock_connect(server, target)
            pumps.append(asyncio.create_task(self._pump(UP, self._client, server)))
            pumps.append(asyncio.create_task(self._pump(DOWN, server, self._client)))
            both = asyncio.create_task(_both(pumps))
            pumps.append(both)
            await asyncio.wait([both, self._cut], return_when=asyncio.FIRST_COMPLETED)
            action = self._cut.result() if self._cut.done() else both.result()
        except ConnectionError:
            pass
        finally:
            for pump in pumps:
                pump.cancel()
            try:
                await asyncio.gather(*pumps, return_exceptions=True)
            finally:
                for end in (self._client, server):
                    _close(end, action)

    def add(self, fault: Fault) -> None:
        """Let something happen, counted from now. To be called on the proxy's loop."""
        self._faults.append(fault._replace(at=self.passed[fault.direction] + fault.at))
        self._faults.sort(key=lambda other: other.at)

    def cut(self, action: Cut) -> None:
        """End or stall it now. To be called on the proxy's loop."""
        if action is Cut.STALL:
            self._flows.clear()
        elif not self._cut.done():
            self._cut.set_result(action)

    def release(self) -> None:
        """Let what was stalled pass again. To be called on the proxy's loop."""
        self._flows.set()

    async def _pump(self, direction: str, source: socket.socket, sink: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while piece := await loop.sock_recv(source, 65536):
            await self._flows.wait()
            if direction == UP and not self.head:
                self.head = piece
            while (fault := self._due(direction, len(piece))) is not None:
                missing = fault.at - self.passed[direction]
                await self._pass_on(direction, sink, piece[:missing])
                piece = piece[missing:]
                if not await self._happens(fault, source, sink):
                    return
            await self._pass_on(direction, sink, piece)
        await self._flows.wait()
        with suppress(OSError):
            sink.shutdown(socket.SHUT_WR)

    def _due(self, direction: str, coming: int) -> Fault | None:
        """Take the first fault of a direction that so many further bytes reach."""
        for fault in self._faults:
            if fault.direction == direction and fault.at <= self.passed[direction] + coming:
                self._faults.remove(fault)
                return fault
        return None

    async def _pass_on(self, direction: str, sink: socket.socket, piece: bytes) -> None:
        if piece:
            await asyncio.get_running_loop().sock_sendall(sink, piece)
            self.passed[direction] += len(piece)

    async def _happens(self, fault: Fault, source: socket.socket, sink: socket.socket) -> bool:
        """Do what a fault says; return whether its direction goes on."""
        if fault.action is Cut.DELAY:
            await asyncio.sleep(fault.delay_s)
        elif fault.action is Cut.HALF_CLOSE:
            sink.shutdown(socket.SHUT_WR)
            while await asyncio.get_running_loop().sock_recv(source, 65536):
                pass
            return False
        else:
            self.cut(fault.action)
            await self._flows.wait()
        return not self._cut.done()


class CuttingProxy:
    """Passes connections on to a server, and does to them what its script says.

    Attributes:
        url: where clients connect.
        links: the connections since the script was last set, oldest first.
        refused: when connections were refused, as `time.monotonic` counts.
    """

    def __init__(self, target_url: str) -> None:
        self.lead_to(target_url)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.setblocking(False)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.links: list[Link] = []
        self.refused: list[float] = []
        self._script: deque[Sequence[Fault]] = deque()
        self._refuses = False
        self._running: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="cutting-proxy")
        self._thread.start()

    def lead_to(self, target_url: str) -> None:
        """Pass new connections on to another server."""
        target = urlsplit(target_url)
        self._target = (target.hostname or "", target.port or 80)

    def add(self, fault: Fault) -> None:
        """Let something happen to the newest connection, counted from now."""
        self._do(lambda: self.links[-1].add(fault))

    def script(self, *connections: Sequence[Fault]) -> None:
        """Say what happens to the connections that come from now on, one after another; later ones meet nothing."""
        self._do(lambda: self._begin(connections))

    def then(self, *connections: Sequence[Fault]) -> None:
        """Say what happens to further connections, after those that the script knows."""
        self._do(lambda: self._script.extend(connections))

    def cut_all(self, action: Cut) -> None:
        """Do something to every connection now; returns when it is done."""
        self._do(*(partial(link.cut, action) for link in self.links))

    def release_all(self) -> None:
        """Let every stalled connection go on."""
        self._do(*(link.release for link in self.links))

    def refuse(self, refuses: bool = True) -> None:
        """Reset new connections at once, or stop doing so."""
        self._refuses = refuses

    def close(self) -> None:
        """Cut every connection and end."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        assert not self._thread.is_alive(), "the proxy did not stop"

    def _begin(self, connections: Sequence[Sequence[Fault]]) -> None:
        self._script = deque(connections)
        self.links = []

    def _do(self, *works: Callable[[], None]) -> None:
        async def run() -> None:
            for work in works:
                work()

        asyncio.run_coroutine_threadsafe(run(), self._loop).result(10)

    def _run(self) -> None:
        self._loop.add_reader(self._listener, self._accept)
        self._loop.run_forever()
        self._loop.remove_reader(self._listener)
        tasks = asyncio.all_tasks(self._loop)
        for task in tasks:
            task.cancel()
        if tasks:
            self._loop.run_until_complete(asyncio.wait(tasks))
        self._listener.close()
        self._loop.close()

    def _accept(self) -> None:
        try:
            client, _ = self._listener.accept()
        except (BlockingIOError, ConnectionError):
            return
        client.setblocking(False)
        if self._refuses:
            self.refused.append(time.monotonic())
            _close(client, Cut.RESET)
            return
        link = Link(client, self._script.popleft() if self._script else ())
        self.links.append(link)
        task = self._loop.create_task(link.run(self._target))
        self._running.add(task)
        task.add_done_callback(lambda ended: self._ended(ended, client))

    def _ended(self, task: asyncio.Task[None], client: socket.socket) -> None:
        self._running.discard(task)
        _close(client, Cut.RESET)  # one that was cancelled before its first moment has closed nothing


async def _both(pumps: Sequence[asyncio.Task[Any]]) -> Cut:
    """Wait until both directions have ended or one has failed; return how the connection is to be closed."""
    ended, _ = await asyncio.wait(pumps[:2], return_when=asyncio.FIRST_EXCEPTION)
    return Cut.RESET if any(pump.exception() for pump in ended) else Cut.FINISH


def _close(end: socket.socket, action: Cut) -> None:
    if action is Cut.RESET:
        with suppress(OSError):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    end.close()


@contextmanager
def cutting_proxy(target_url: str) -> Iterator[CuttingProxy]:
    """Run a proxy before a server's base URL."""
    proxy = CuttingProxy(target_url)
    try:
        yield proxy
    finally:
        proxy.close()

"""The parent of worker processes: it owns the port, the slots and their queue, and starts anew what has ended."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import shutil
import signal
import socket
import tempfile
from collections.abc import Callable
from typing import Any

from ...errors import LaunchError, OpenEnvError
from ...sessions.slots import Slots
from ...sessions.worker_names import worker_name
from .head import Destination
from .link import Link
from .newcomer import Newcomer
from .starting import Starter

logger = logging.getLogger("openenv.workers")

ACCEPTED_AT_ONCE = 64
NO_ROOM = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
NO_ROOM_PAUSE_S = 0.5
COUNTS_AFTER_S = 0.02

LONG_LIFE_S = 30.0
"""A worker that ends sooner is started again only after a pause, doubled each time."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.1, 30.0


class Parent:
    """Serves on a socket with worker processes until SIGINT, SIGTERM or unused; a second signal ends everything at once.

    Args:
        listener: where clients come; is closed in the end.
        starter: starts worker processes; is closed in the end.
        workers: how many.
        log_level: uvicorn's.
        announce: is called with what the first worker says of itself once all are ready, before the first client.
    """

    def __init__(
        self,
        listener: socket.socket,
        starter: Starter,
        workers: int,
        log_level: str,
        announce: Callable[[dict[str, Any]], None],
    ) -> None:
        self._listener = listener
        self._starter = starter
        self._workers = workers
        self._log_level = log_level
        self._announce = announce
        self._folder = tempfile.mkdtemp(prefix="openenv-")
        self._life, self._held_life = os.pipe()
        self._links: dict[str, Link] = {}
        self._starts = [0] * workers
        self._pauses_s = [FIRST_PAUSE_S] * workers
        self._slots: Slots | None = None
        self._drained_within_s = 0.0
        self._ends_within_s = 0.0
        self._newcomers: set[socket.socket] = set()
        self._nowhere: list[tuple[socket.socket, Destination]] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._telling: asyncio.TimerHandle | None = None
        self._stop = asyncio.Event()
        self._all_ended = asyncio.Event()

    async def run(self) -> None:
        """Serve. Raises `LaunchError` where a worker does not start."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._signalled, number)
        try:
            links = [await self._start(place) for place in range(self._workers)]
            facts = await self._first_words(links)
            if not self._stop.is_set():
                self._slots = Slots(facts["capacity"], facts["queue_timeout_s"], facts["hint"])
                self._drained_within_s, self._ends_within_s = facts["drained_within_s"], facts["ends_within_s"]
                self._announce(facts)
                for link in links:
                    if link.name in self._links:
                        link.admit(self._slots)
                    else:
                        self._later(self._start_again(link.place, 0.0))
                self._listener.setblocking(False)
                loop.add_reader(self._listener, self._accept)
            await self._all_ended.wait()
        finally:
            self._close()

    async def _first_words(self, links: list[Link]) -> dict[str, Any]:
        for said in await asyncio.gather(*(link.ready for link in links), return_exceptions=True):
            if isinstance(said, OpenEnvError) and not self._stop.is_set():
                raise LaunchError(f"a worker process did not start: {said.message}")
        return {} if self._stop.is_set() else links[0].ready.result()

    async def _start(self, place: int) -> Link:
        name = worker_name(place, self._starts[place])
        self._starts[place] += 1
        control, control_end = socket.socketpair()
        handoff, handoff_end = socket.socketpair()
        terms = {"name": name, "workers": self._workers, "folder": self._folder, "log_level": self._log_level}
        try:
            self._starter.start(terms, [control_end.fileno(), handoff_end.fileno(), self._life])
        except (OSError, OpenEnvError):
            control.close()
            handoff.close()
            raise
        finally:
            control_end.close()
            handoff_end.close()
        handoff.setblocking(False)
        link = self._links[name] = Link(name, handoff, self)
        await link.listen(control)
        if self._stop.is_set():
            link.stop()
        return link

    async def _start_again(self, place: int, lived_s: float) -> None:
        """Put another worker in the place of one that has ended."""
        pause_s = self._pauses_s[place]
        self._pauses_s[place] = FIRST_PAUSE_S if lived_s > LONG_LIFE_S else min(LONGEST_PAUSE_S, 2 * pause_s)
        await asyncio.sleep(pause_s)
        if self._stop.is_set():
            return
        try:
            link = await self._start(place)
        except (OSError, OpenEnvError) as error:
            logger.error("worker process %d could not be started again: %s", place, error)
            self._later(self._start_again(place, 0.0))
            return
        try:
            await link.ready
        except OpenEnvError as error:
            logger.error("worker process %s did not start: %s", link.name, error.message)
            return
        assert self._slots is not None
        if self._stop.is_set():
            return
        link.admit(self._slots)
        nowhere, self._nowhere = self._nowhere, []
        for connection, where in nowhere:
            self._found(connection, where)

    def ended(self, link: Link, unserved: list[socket.socket]) -> None:
        """A worker has ended, with connections that had not reached it."""
        del self._links[link.name]
        self._starter.reap()
        self.counts_changed()
        for connection in unserved:
            self._found(connection, Destination(None, True))
        if not self._stop.is_set():
            if link.ready.exception() is None:
                logger.warning("worker process %s has ended, and its sessions with it; another takes its place", link.name)
            if self._slots is not None:
                self._later(self._start_again(link.place, asyncio.get_running_loop().time() - link.started))
        elif not self._links:
            self._all_ended.set()
        else:
            self._end_together()

    def drained(self, link: Link) -> None:
        """A worker that was told to stop has finished its calls."""
        if self._stop.is_set():
            self._end_together()
        else:
            link.end()

    def _end_together(self) -> None:
        """Let the workers end once none has calls in flight, which may come by the connections of another."""
        if all(link.drained for link in self._links.values()):
            self._end_drained()

    def _end_drained(self) -> None:
        for link in self._links.values():
            if link.drained:
                link.end()

    def unused(self) -> None:
        """Stop where nobody has used any worker for as long as a server may lie unused, and nobody is about to."""
        links = self._links.values()
        if links and all(link.unused for link in links) and not self._newcomers and not self._stop.is_set():
            logger.warning("nobody used this server for unused_timeout_s: it stops")
            self._stop_all()

    def counts_changed(self) -> None:
        """Tell all workers, soon, how many slots are taken and awaited."""
        if self._telling is None:
            self._telling = asyncio.get_running_loop().call_later(COUNTS_AFTER_S, self._tell_counts)

    def _tell_counts(self) -> None:
        self._telling = None
        for link in self._links.values():
            if link.open and self._slots is not None:
                link.counts(self._slots.taken, self._slots.waiting)

    def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        for _ in range(ACCEPTED_AT_ONCE):
            try:
                connection, _ = self._listener.accept()
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno in NO_ROOM:
                    logger.error("no further connection can be taken: %s", error)
                    loop.remove_reader(self._listener)
                    loop.call_later(NO_ROOM_PAUSE_S, self._accept_again)
                    return
                continue
            connection.setblocking(False)
            self._newcomers.add(connection)
            Newcomer(connection, self._found, self._gone)

    def _accept_again(self) -> None:
        if self._listener.fileno() >= 0:
            asyncio.get_running_loop().add_reader(self._listener, self._accept)

    def _gone(self, connection: socket.socket) -> None:
        self._newcomers.discard(connection)
        connection.close()
        self.unused()

    def _found(self, connection: socket.socket, where: Destination) -> None:
        """Pass a connection on to where it belongs, or to whichever worker there is, which knows what to say to it."""
        self._newcomers.discard(connection)
        links = [link for link in self._links.values() if link.open]
        named = self._links.get(where.worker or "")
        if named is not None and named.open:
            named.hand(connection)
        elif links:
            first = [link for link in links if link.place == 0 and where.worker is None and not where.anywhere]
            min(first or links, key=lambda link: link.load).hand(connection)
        elif self._stop.is_set():
            connection.close()
        else:
            self._nowhere.append((connection, where))

    def _signalled(self, number: int) -> None:
        if self._stop.is_set():
            for link in self._links.values():
                link.kill()
            shutil.rmtree(self._folder, ignore_errors=True)
            os._exit(128 + number)
        self._stop_all()

    def _stop_all(self) -> None:
        self._stop.set()
        if self._slots is not None:
            self._slots.close()
        for link in self._links.values():
            link.stop()
        if not self._links:
            self._all_ended.set()
        elif self._ends_within_s:
            asyncio.get_running_loop().call_later(self._drained_within_s, self._end_drained)
            asyncio.get_running_loop().call_later(self._ends_within_s, self._kill_late_ones)

    def _kill_late_ones(self) -> None:
        for link in self._links.values():
            logger.error("worker process %s did not stop and was killed", link.name)
            link.kill()

    def _later(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _close(self) -> None:
        """Let go of everything; workers that still run end with the pipe."""
        asyncio.get_running_loop().remove_reader(self._listener)
        for connection in (self._listener, *self._newcomers, *(connection for connection, _ in self._nowhere)):
            connection.close()
        for task in self._tasks:
            task.cancel()
        for link in self._links.values():
            link.kill()
        os.close(self._held_life)
        os.close(self._life)
        self._starter.close()
        shutil.rmtree(self._folder, ignore_errors=True)

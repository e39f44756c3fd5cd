"""The process that forks: it has the environment's module loaded, and makes a child of itself for each session.

It has one thread, so that a fork copies no lock that another thread holds, and runs nothing of the environment but its
module. Orders come and reports go over one socket; when that ends it kills all its children, whatever they do, and ends.
"""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import select
import signal
import socket
import sys
import threading
from struct import Struct
from typing import Final, NoReturn

from . import frames
from .child import end_with_parent, given_socket, live, on_terms_of_server
from .handover import Handover, unpack

logger = logging.getLogger("openenv.sessions")

ORDER: Final = Struct("<cQ")
"""What is to be done, and the number of the child. A fork carries two descriptors: its channel, its standard error."""
FORK: Final = b"f"
KILL: Final = b"k"

REPORT: Final = Struct("<cQq")
"""What has happened, the number of the child, and a value."""
READY: Final = b"r"
FORKED: Final = b"s"
"""Value: the child's process id."""
FAILED: Final = b"x"
"""Value: the error's number."""
ENDED: Final = b"e"
"""Value: the exit code, or the number of the signal with a minus."""


def main(control: str) -> None:
    """Be a fork server until the control socket ends."""
    on_terms_of_server()
    connection = given_socket(control)
    first = frames.Reader(connection).read()
    if first is not None:
        _ForkServer(connection, unpack(first[1])).run()


class _ForkServer:
    def __init__(self, control: socket.socket, handover: Handover) -> None:
        self._control = control
        self._handover = handover
        self._children: dict[int, int] = {}
        self._numbers: dict[int, int] = {}
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_read, False)
        os.set_blocking(self._wake_write, False)

    def run(self) -> None:
        """Serve until the control socket ends."""
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        signal.set_wakeup_fd(self._wake_write, warn_on_full_buffer=False)
        _check_threads(self._handover.spec.name)
        gc.collect()
        gc.freeze()
        poll = select.poll()
        poll.register(self._control, select.POLLIN)
        poll.register(self._wake_read, select.POLLIN)
        try:
            self._report(READY, 0, 0)
            while True:
                ready = {descriptor for descriptor, _ in poll.poll()}
                if self._wake_read in ready:
                    os.read(self._wake_read, 4096)
                    self._reap()
                if self._control.fileno() in ready and not self._obey():
                    return
        except OSError:
            logger.exception("the fork server lost its server")
        finally:
            self._kill_all()

    def _obey(self) -> bool:
        """Do one order; return whether there may be more."""
        order, descriptors, _, _ = socket.recv_fds(self._control, ORDER.size, 2)
        if len(order) < ORDER.size:
            return False
        kind, number = ORDER.unpack(order)
        if kind == KILL:
            if number in self._children:
                _kill(self._children[number])
            return True
        try:
            self._fork(number, descriptors)
        finally:
            for descriptor in descriptors:
                os.close(descriptor)
        return True

    def _fork(self, number: int, descriptors: list[int]) -> None:
        server = os.getpid()
        try:
            child = os.fork()
        except OSError as error:
            self._report(FAILED, number, error.errno or 0)
            return
        if child == 0:
            self._be_child(server, *descriptors)
        self._children[number] = child
        self._numbers[child] = number
        self._report(FORKED, number, child)

    def _be_child(self, server: int, channel: int, stderr: int) -> NoReturn:
        try:
            os.setsid()
            end_with_parent()
            if os.getppid() != server:
                os._exit(1)
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            self._control.close()
            os.close(self._wake_read)
            os.close(self._wake_write)
            os.dup2(stderr, 1)
            os.dup2(stderr, 2)
            os.close(stderr)
            os.set_inheritable(channel, False)
            reseed()
            live(self._handover, socket.socket(fileno=channel))
        finally:
            os._exit(1)

    def _reap(self) -> None:
        """Report the children that have ended, and kill what they leave of their process groups."""
        while self._numbers:
            if hasattr(os, "waitid"):
                ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
                if ended is None:
                    return
                _kill(ended.si_pid)  # not reaped yet, so the number cannot be another's
            child, status = os.waitpid(-1, os.WNOHANG)
            if child == 0:
                return
            number = self._numbers.pop(child)
            del self._children[number]
            self._report(ENDED, number, os.waitstatus_to_exitcode(status))

    def _kill_all(self) -> None:
        for child in self._numbers:
            _kill(child)
        for child, number in self._numbers.items():
            _, status = os.waitpid(child, 0)
            with contextlib.suppress(OSError):
                self._report(ENDED, number, os.waitstatus_to_exitcode(status))

    def _report(self, kind: bytes, number: int, value: int) -> None:
        self._control.sendall(REPORT.pack(kind, number, value))


def _kill(child: int) -> None:
    """Kill a child that has not been reaped, and its process group."""
    for kill in (os.kill, os.killpg):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            kill(child, signal.SIGKILL)


def reseed() -> None:
    """Give NumPy's own generator a new seed, so that siblings do not play the same game; `random` does that itself."""
    numpy_random = sys.modules.get("numpy.random")
    if numpy_random is not None:
        numpy_random.seed()


def _check_threads(name: str) -> None:
    if threading.active_count() > 1:
        logger.warning(
            "the module of %s starts threads when it is imported, which forked processes lack; "
            "where it needs them, set OPENENV_PROCESS_START=spawn",
            name,
        )

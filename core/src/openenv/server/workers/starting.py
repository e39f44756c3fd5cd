"""How worker processes come to be: fresh interpreters that import the app by its name, or copies of this process."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn, Protocol

from ...errors import LaunchError, UsageError
from ...sessions.processes.fork_server import reseed

Terms = dict[str, Any]
"""What a worker is told when it starts, in JSON: see `worker.live`."""

ENDS = 3
"""A worker is given this many descriptors: its channel, the socket that connections come through, and the end of a pipe that
the parent holds the other end of."""

LONGEST_TERMS = 64 * 1024


class Starter(Protocol):
    """Starts worker processes."""

    def start(self, terms: Terms, ends: list[int]) -> None:
        """Start one with copies of these descriptors. Raises `OSError` or `LaunchError` where it cannot."""

    def reap(self) -> None:
        """Collect those that have ended."""

    def close(self) -> None:
        """Start no more."""


class ByName:
    """Starts fresh interpreters.

    Args:
        app: `module:attribute`.
    """

    def __init__(self, app: str) -> None:
        self._app = app
        self._started: list[subprocess.Popen[bytes]] = []

    def start(self, terms: Terms, ends: list[int]) -> None:
        path = [str(Path(entry).absolute()) for entry in sys.path]
        told = json.dumps({**terms, "app": self._app, "path": path})
        command = [sys.executable, "-m", __name__.rpartition(".")[0], told, *map(str, ends)]
        self._started.append(subprocess.Popen(command, stdin=subprocess.DEVNULL, pass_fds=ends))

    def reap(self) -> None:
        self._started = [process for process in self._started if process.poll() is None]

    def close(self) -> None:
        for process in self._started:
            process.wait()


class ByCopy:
    """Forks workers off a process that was itself forked off this one before anything had begun here.

    That process has no threads, no event loop, and no socket but the one to its parent, so its copies have none either.

    Args:
        live: what a worker does with its terms and its ends.

    Raises:
        UsageError: this process has several threads, of which a copy would have one.
    """

    def __init__(self, live: Callable[[Terms, list[int]], int]) -> None:
        if threading.active_count() > 1:
            raise UsageError(
                "worker processes are copies of this one, which must not have other threads: "
                "serve the app by its name instead, as module:attribute"
            )
        self._orders, orders = socket.socketpair()
        self._pid = os.fork()
        if self._pid == 0:
            self._orders.close()
            _nurse(orders, live)
        orders.close()

    def start(self, terms: Terms, ends: list[int]) -> None:
        socket.send_fds(self._orders, [json.dumps(terms).encode()], ends)
        if not self._orders.recv(1):
            raise LaunchError("the process that worker processes are copied from has ended")

    def reap(self) -> None:
        """They are children of the process they are copied from, which has the system collect them."""

    def close(self) -> None:
        self._orders.close()
        os.waitpid(self._pid, 0)


def _nurse(orders: socket.socket, live: Callable[[Terms, list[int]], int]) -> NoReturn:
    """Fork a worker for each order, until the parent hangs up."""
    try:
        for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD):
            signal.signal(ignored, signal.SIG_IGN)
        while True:
            told, ends, _, _ = socket.recv_fds(orders, LONGEST_TERMS, ENDS)
            if not told:
                break
            if os.fork() == 0:
                orders.close()
                _be_worker(live, json.loads(told), ends)
            for end in ends:
                os.close(end)
            orders.sendall(b"f")
    finally:
        os._exit(0)


def _be_worker(live: Callable[[Terms, list[int]], int], terms: Terms, ends: list[int]) -> NoReturn:
    code = 1
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        reseed()
        code = live(terms, ends)
    finally:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(code)

"""The process that interpreters are forked from, one an executor, shared by all sessions of a server."""

from __future__ import annotations

import atexit
import contextlib
import functools
import json
import os
import platform
import socket
import subprocess
import sys
import sysconfig
import threading
from pathlib import Path
from typing import Any

PACKAGE = str(Path(__file__).parent)
BEGIN = "import sys; sys.path.insert(0, sys.argv[1]); from cell.forks import main; main()"
ENVIRONMENT = {
    "PATH": "/usr/bin:/bin",
    "LANG": "C.UTF-8",
    "TZ": "UTC",
    "PYTHONHASHSEED": "0",
    "MALLOC_ARENA_MAX": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
}
"""All that interpreters see of an environment. A fixed hash seed makes the order of sets the same in every episode."""

START_TIMEOUT_S = 60.0

_all: dict[tuple[int, str], Nursery] = {}
_turn = threading.Lock()


class Nursery:
    """Forks an interpreter within milliseconds, its modules loaded already. It never runs agents' code itself.

    Args:
        executor: what its interpreters are.

    Raises:
        RuntimeError: it could not be started; the message says what to do.
    """

    def __init__(self, executor: str) -> None:
        if platform.system() != "Linux":
            raise RuntimeError("the coding environment's server needs Linux: elsewhere run its container image")
        self._door, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        # -I would ignore the hash seed: these flags and an environment of its own do the rest of what it does
        flags = ["-s", "-S", "-P", "-B", "-X", "utf8"]
        arguments = [PACKAGE, executor, json.dumps(packages())]
        self._process = subprocess.Popen(
            [sys.executable, *flags, "-c", BEGIN, *arguments],
            stdin=theirs.fileno(),
            stdout=subprocess.DEVNULL,
            env=ENVIRONMENT,
            cwd="/",
            start_new_session=True,
        )
        theirs.close()
        self._door.settimeout(START_TIMEOUT_S)
        try:
            told = self._door.recv(1 << 16)
        except TimeoutError:
            told = b""
        problem = json.loads(told)["problem"] if told else "the process that interpreters come from did not start"
        if problem is not None:
            self.close()
            raise RuntimeError(f"{problem}; is the environment installed with its [server] extra?")

    @property
    def alive(self) -> bool:
        """Whether its process runs."""
        return self._process.poll() is None

    def start(self, order: dict[str, Any], files: list[int]) -> None:
        """Fork an interpreter, with its control socket, channel and standard streams. Raises `OSError`."""
        socket.send_fds(self._door, [json.dumps(order).encode()], files)

    def close(self) -> None:
        """End it; interpreters that run still end with their own control sockets."""
        self._door.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(5)
        if self.alive:
            self._process.kill()
            self._process.wait()


def nursery(executor: str) -> Nursery:
    """Return this process's nursery for an executor, started now where there is none. Raises `RuntimeError`."""
    key = (os.getpid(), executor)
    with _turn:
        found = _all.get(key)
        if found is None or not found.alive:
            if found is not None:
                found.close()
            found = _all[key] = Nursery(executor)
        return found


@functools.cache
def packages() -> list[str]:
    """Return the folders that hold installed packages."""
    found = dict.fromkeys((sysconfig.get_path("purelib"), sysconfig.get_path("platlib")))
    return [path for path in found if Path(path).is_dir()]


@functools.cache
def readable() -> list[str]:
    """Return the files that interpreters must read: Python's own modules, installed packages."""
    return [*dict.fromkeys((sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib"))), *packages()]


@atexit.register
def _close_all() -> None:
    for (pid, _), each in list(_all.items()):
        if pid == os.getpid():
            each.close()

"""Forks an interpreter with its keeper for each order of a server. Its standard input is the socket that orders come by."""

from __future__ import annotations

import array
import gc
import json
import os
import signal
import socket
import sys
import traceback

from . import namespaces, runner, tracebacks
from .frames import pack
from .keeper import Keeper

LONGEST_ORDER = 1 << 16
FILES = 5
"""Control, channel, and the three standard streams."""


def main() -> None:
    """Run until the server is gone: `forks.main()` with the executor's name and the folders of packages as arguments."""
    package, executor, packages = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
    sys.path[:] = [entry for entry in sys.path if entry != package] + packages
    tracebacks.name_folders(packages)
    try:
        runner.load(executor)
    except ImportError as error:
        problem: str | None = f"the {executor} executor cannot be loaded: {error}"
    else:
        problem = None
    entered = namespaces.enter()
    door = socket.socket(fileno=0)
    door.sendall(json.dumps({"problem": problem}).encode())
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.collect()
    gc.freeze()
    while True:
        order, files = _receive(door)
        if not order:
            break
        if os.fork() == 0:
            _keep(door, order, files, entered)
        for fd in files:
            os.close(fd)
    while True:
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            os._exit(0)


def _receive(door: socket.socket) -> tuple[bytes, list[int]]:
    size = array.array("i").itemsize
    order, ancillary, _, _ = door.recvmsg(LONGEST_ORDER, socket.CMSG_LEN(FILES * size))
    files = array.array("i")
    for _, _, data in ancillary:
        files.frombytes(data[: len(data) - len(data) % size])
    return order, list(files)


def _keep(door: socket.socket, order: bytes, files: list[int], entered: list[str]) -> None:
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setsid()
        door.close()
        control = socket.socket(fileno=files[0])
        try:
            Keeper(json.loads(order), control, files[1:], entered).run()
        except BaseException as error:
            control.sendall(pack({"failed": f"{type(error).__name__}: {error}"}))
            raise
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(0)

"""The process between a server and one interpreter: starts it, watches its limits, ends it, and clears up after it.

It never reads what agents' code says. It ends with its server, however that ends: its control socket is closed then.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import signal
import socket
import time
from pathlib import Path
from typing import Any

from . import confinement, kernel, namespaces, privileges, runner
from .folder import Folder
from .frames import pack

WATCH_INTERVAL_S = 0.02
DISK_INTERVAL_S = 0.2
FIRST_FREE = 64
BROKEN = 70
"""Exit code of an interpreter whose own frame failed (EX_SOFTWARE)."""

KILL, PAUSE, GO_ON = b"k", b"p", b"c"


class Keeper:
    """Keeps one interpreter.

    Args:
        order: what to run: `executor`, `imports`, `seed`, `limits`, `readable`, `folders`.
        control: takes commands of one byte from the server and gives it `going`, `paused` and `ended`.
        files: the interpreter's channel to the server and its three standard streams.
        entered: namespaces that this process is in.
    """

    def __init__(self, order: dict[str, Any], control: socket.socket, files: list[int], entered: list[str]) -> None:
        self._order = order
        self._control = control
        self._files = files
        self._namespaces = list(entered)
        self._limits = order["limits"]
        self._running = True
        self._cpu_before = 0.0
        self._next_disk_check = 0.0
        self._user = privileges.own_user(order["readable"], order["folders"])
        in_user_namespace = "user" in self._namespaces
        if os.geteuid() != 0 and in_user_namespace and namespaces.own_user_namespace():
            self._namespaces.append("own user")
        self._folder = Folder(
            order["folders"],
            self._limits["disk_mb"],
            self._user,
            order["readable"],
            files[1],
            in_user_namespace=in_user_namespace,
        )
        try:
            self._child = self._start()
        except BaseException:
            self._folder.delete()
            raise

    def run(self) -> None:
        """Do what the server says until the interpreter or the server has ended."""
        while True:
            ready, _, _ = select.select([self._control], [], [], WATCH_INTERVAL_S if self._running else None)
            if ready and not self._obey(self._control.recv(1)):
                return self._end(None)
            ended, status = os.waitpid(self._child, os.WNOHANG)
            if ended:
                return self._clear_up(status, None)
            reason = self._exceeded() if self._running else None
            if reason is not None:
                return self._end(reason)

    def _start(self) -> int:
        child = os.fork()
        if child:
            for fd in self._files:
                os.close(fd)
            kernel.prctl(kernel.PR_SET_CHILD_SUBREAPER, 1)
            return child
        try:
            os.setsid()
            self._be_interpreter(_arrange(self._files))
        finally:
            os._exit(BROKEN)

    def _be_interpreter(self, channel: socket.socket) -> None:
        try:
            executor = runner.executor(self._order)
            confined = confinement.confine(self._order, self._folder, self._user, self._namespaces)
        except Exception as error:
            channel.sendall(pack({"failed": str(error)}))
            return
        channel.sendall(pack({"ready": confined}))
        runner.serve(channel, executor)

    def _obey(self, command: bytes) -> bool:
        """Do a command; False where it is the last."""
        if command == PAUSE:
            self._pause()
        elif command == GO_ON:
            self._cpu_before = self._cpu_used()
            self._running = True
            os.kill(self._child, signal.SIGCONT)
            self._tell({"going": True})
        else:
            return False
        return True

    def _pause(self) -> None:
        os.kill(self._child, signal.SIGSTOP)
        self._running = False
        _, status = os.waitpid(self._child, os.WUNTRACED)
        if not os.WIFSTOPPED(status):
            self._clear_up(status, None)
            os._exit(0)
        if self._folder.too_full(self._child):
            self._end("disk")
            os._exit(0)
        self._tell({"paused": True})

    def _exceeded(self) -> str | None:
        if self._cpu_used() - self._cpu_before > self._limits["cpu_time_s"]:
            return "cpu_time"
        now = time.monotonic()
        if now >= self._next_disk_check:
            self._next_disk_check = now + DISK_INTERVAL_S
            if self._folder.too_full(self._child):
                return "disk"
        return None

    def _cpu_used(self) -> float:
        """CPU seconds of the interpreter so far, of all its threads: its clock is numbered as in `clock_getcpuclockid`."""
        try:
            return time.clock_gettime((~self._child << 3) | 2)
        except OSError:
            return 0.0

    def _end(self, reason: str | None) -> None:
        os.kill(self._child, signal.SIGKILL)
        self._clear_up(os.waitpid(self._child, 0)[1], reason)

    def _clear_up(self, status: int, reason: str | None) -> None:
        _end_descendants(self._child)
        self._folder.delete()
        self._tell({"ended": os.waitstatus_to_exitcode(status), "reason": reason})

    def _tell(self, message: dict[str, Any]) -> None:
        with contextlib.suppress(OSError):
            self._control.sendall(pack(message))


def _arrange(files: list[int]) -> socket.socket:
    """Make the standard streams those of the interpreter, close everything else, and return its channel."""
    channel, *streams = (fcntl.fcntl(fd, fcntl.F_DUPFD, FIRST_FREE) for fd in files)
    for place, stream in enumerate(streams):
        os.dup2(stream, place)
    os.dup2(channel, 3, inheritable=False)
    os.closerange(4, 1 << 20)
    return socket.socket(fileno=3)


def _end_descendants(group: int) -> None:
    """End what the interpreter may have started where no filter kept it from doing so, sessions of their own included."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)
    own = Path(f"/proc/{os.getpid()}")
    while True:
        try:
            if os.waitpid(-1, os.WNOHANG)[0]:
                continue
        except ChildProcessError:
            return
        if own.parent / Path("/proc/self").readlink() != own:
            return
        for child in Path(f"{own}/task/{os.getpid()}/children").read_text().split():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(int(child), signal.SIGKILL)
        time.sleep(0.001)

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
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from . import confinement, kernel, namespaces, privileges, runner
from .frames import pack

WATCH_INTERVAL_S = 0.02
DISK_INTERVAL_S = 0.2
MOST_FILES = 10_000
OWN_PLACE = "/tmp"
"""Where an interpreter's folder is mounted, in its own view: the same name each time. It goes with the keeper's view."""
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
        self._mounted = False
        self._folder = ""
        self._user = privileges.own_user(order["readable"], order["folders"])
        self._prepare_folder()
        self._child = self._start()

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

    def _prepare_folder(self) -> None:
        """Make the interpreter's own folder: where mounting is possible one of limited size that nobody else sees."""
        if os.geteuid() != 0 and "user" in self._namespaces and namespaces.own_user_namespace():
            self._namespaces.append("own user")
        owner = os.geteuid() if self._user is None else self._user
        group = os.getegid() if self._user is None else self._user
        hides_nothing_needed = not any(path.startswith(f"{OWN_PLACE}/") for path in self._order["readable"])
        with contextlib.suppress(OSError):
            kernel.unshare(kernel.CLONE_NEWNS)
            kernel.mount("none", "/", None, kernel.MS_REC | kernel.MS_PRIVATE)
            options = f"size={self._limits['disk_mb']}m,nr_inodes={MOST_FILES},mode=700,uid={owner},gid={group}"
            self._folder = OWN_PLACE if hides_nothing_needed else self._new_folder()
            kernel.mount("tmpfs", self._folder, "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC, options)
            self._mounted = True
        if not self._mounted:
            self._folder = self._new_folder()
            if self._user is not None:
                os.chown(self._folder, owner, group)

    def _new_folder(self) -> str:
        return tempfile.mkdtemp(prefix="openenv-coding-", dir=self._order["folders"])

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
            confined = confinement.confine(
                self._order, self._folder, self._user, self._namespaces, disk_is_bounded=self._mounted
            )
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
        if not self._mounted and _too_full(self._folder, self._limits["disk_mb"]):
            self._end("disk")
            os._exit(0)
        self._tell({"paused": True})

    def _exceeded(self) -> str | None:
        if self._cpu_used() - self._cpu_before > self._limits["cpu_time_s"]:
            return "cpu_time"
        now = time.monotonic()
        if not self._mounted and now >= self._next_disk_check:
            self._next_disk_check = now + DISK_INTERVAL_S
            if _too_full(self._folder, self._limits["disk_mb"]):
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
        if self._folder != OWN_PLACE:
            if self._mounted:
                with contextlib.suppress(OSError):
                    kernel.unmount(self._folder)
            _delete(self._folder)
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


def _too_full(folder: str, limit_mb: int) -> bool:
    files, used = 0, 0
    try:
        for place, folders, names in os.walk(folder):
            files += len(folders) + len(names)
            if files > MOST_FILES:
                return True
            for name in names:
                with contextlib.suppress(OSError):
                    used += (Path(place) / name).lstat().st_blocks * 512
    except RecursionError:
        return True
    return used > limit_mb * confinement.MIB


def _delete(folder: str) -> None:
    """Delete a folder, however deep it is and whatever modes its folders have."""
    with contextlib.suppress(OSError):
        Path(folder).rmdir()
        return
    for command in (["chmod", "-R", "u+rwX", folder], ["rm", "-rf", folder]):
        subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

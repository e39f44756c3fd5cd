"""An interpreter's own folder: made, measured where no file system of its own bounds it, and deleted."""

from __future__ import annotations

import contextlib
import os
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from enum import Enum
from pathlib import Path

from . import kernel, landlock, privileges

MIB = 1024 * 1024
MOST_FILES = 10_000
OWN_PLACE = "/tmp"
"""Where the folder is mounted, in the interpreter's own view: the same name each time. It goes with the keeper's view."""
DELETED = " (deleted)"
"""How the kernel marks a file without a name, in `/proc/<pid>/maps`."""


class Watch(Enum):
    """How a folder is kept to its limit."""

    BOUNDED = "its file system has the limit's size"
    ALL = "measured, with files that are open and deleted"
    IF_DUMPABLE = "as `ALL`, which takes an interpreter that its keeper may look into"
    NAMED = "measured, but without files that are open and deleted"


class Unmeasured(Exception):
    """What a folder holds cannot be told, which counts as too much."""


class Folder:
    """A folder for one interpreter alone; where mounting is possible a file system that nobody else sees.

    Args:
        parent: where it is made, unless `/tmp` can be mounted over.
        limit_mb: MiB that it may hold.
        user: who owns it, and whom the interpreter becomes; None for this process's own.
        readable: what the interpreter must read, and a mount must not hide.
        standard_input: the interpreter's, a deleted file that is not its own doing.
        in_user_namespace: whether this process is in one that is not the system's, where its capabilities count for little.

    Raises:
        OSError: it could not be made.
    """

    def __init__(
        self, parent: str, limit_mb: int, user: int | None, readable: list[str], standard_input: int, *, in_user_namespace: bool
    ) -> None:
        self._limit_mb = limit_mb
        self._user = user
        self._standard_input = _identity(os.fstat(standard_input))
        self._unseen_before = False
        owner, group = (os.geteuid(), os.getegid()) if user is None else (user, user)
        self.path = ""
        self.watch = self._watch(in_user_namespace)
        hides_nothing_needed = not any(path.startswith(f"{OWN_PLACE}/") for path in readable)
        with contextlib.suppress(OSError):
            kernel.unshare(kernel.CLONE_NEWNS)
            kernel.mount("none", "/", None, kernel.MS_REC | kernel.MS_PRIVATE)
            options = f"size={limit_mb}m,nr_inodes={MOST_FILES},mode=700,uid={owner},gid={group}"
            self.path = OWN_PLACE if hides_nothing_needed else _new(parent)
            kernel.mount("tmpfs", self.path, "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC, options)
            self.watch = Watch.BOUNDED
        if self.watch is not Watch.BOUNDED:
            if self.path in ("", OWN_PLACE):
                self.path = _new(parent)
            if user is not None:
                os.chown(self.path, owner, group)

    def too_full(self, interpreter: int) -> bool:
        """Return whether it holds more than its limit, or what cannot be measured; exact where the interpreter stands still.

        Args:
            interpreter: number of the process that uses it.
        """
        if self.watch is Watch.BOUNDED:
            return False
        try:
            used = self._named()
            if used <= self._limit_mb * MIB and self.watch is not Watch.NAMED:
                used += self._held(interpreter)
        except (Unmeasured, OSError, RecursionError):
            return True
        return used > self._limit_mb * MIB

    def delete(self) -> None:
        """Delete it, however deep it is and whatever modes its folders have."""
        if self.path == OWN_PLACE:
            return
        if self.watch is Watch.BOUNDED:
            with contextlib.suppress(OSError):
                kernel.unmount(self.path)
        with contextlib.suppress(OSError):
            Path(self.path).rmdir()
            return
        for command in (["chmod", "-R", "u+rwX", self.path], ["rm", "-rf", self.path]):
            subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def _watch(self, in_user_namespace: bool) -> Watch:
        if not Path("/proc/self").exists() or Path("/proc/self").readlink().name != str(os.getpid()):
            return Watch.NAMED
        if not in_user_namespace and privileges.has(privileges.SYS_PTRACE):
            return Watch.ALL
        return Watch.IF_DUMPABLE if landlock.version() else Watch.NAMED

    def _named(self) -> int:
        """Bytes of the files in it. Raises `OSError` or `Unmeasured` for what is closed to it, too deep, or too many."""
        files, used = 0, 0
        for place, folders, names in os.walk(self.path, onerror=_unless_gone):
            files += len(folders) + len(names)
            if files > MOST_FILES:
                raise Unmeasured("too many files")
            for name in names:
                with contextlib.suppress(FileNotFoundError):
                    used += (Path(place) / name).lstat().st_blocks * 512
        return used

    def _held(self, interpreter: int) -> int:
        """Bytes of deleted files that a process has open. Raises `Unmeasured` where that cannot be known, twice in a row."""
        with privileges.files_as(self._user if self.watch is Watch.IF_DUMPABLE else None):
            for task in _tasks(interpreter):
                with contextlib.suppress(OSError):
                    # one that has ended, though the process goes on in its other threads, maps nothing
                    if maps := (task / "maps").read_text(errors="replace"):
                        held = self._deleted(task, maps)
                        self._unseen_before = False
                        return held
        if self._unseen_before:
            raise Unmeasured("the process cannot be looked into")
        self._unseen_before = True  # it may be about to end
        return 0

    def _deleted(self, task: Path, maps: str) -> int:
        sizes: dict[tuple[int, int], int] = {}
        for entry in (task / "fd").iterdir():
            with contextlib.suppress(FileNotFoundError):
                found = entry.stat()
                if stat.S_ISREG(found.st_mode) and found.st_nlink == 0 and _identity(found) != self._standard_input:
                    sizes[_identity(found)] = found.st_blocks * 512
        known = {inode for _, inode in sizes}
        for line in maps.splitlines():
            if line.endswith(DELETED) and f" {self.path}/" in line and int(line.split(maxsplit=5)[4]) not in known:
                raise Unmeasured("a file that is only mapped has no size that can be asked for")
        return sum(sizes.values())


def _new(parent: str) -> str:
    return tempfile.mkdtemp(prefix="openenv-coding-", dir=parent)


def _tasks(process: int) -> Iterator[Path]:
    """A process's threads; seccomp keeps them to one table of open files."""
    with contextlib.suppress(FileNotFoundError):
        yield from Path(f"/proc/{process}/task").iterdir()


def _identity(found: os.stat_result) -> tuple[int, int]:
    return found.st_dev, found.st_ino


def _unless_gone(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise error

"""Who the interpreter is towards the system: as little as can be had."""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import random
import stat
import struct
from collections.abc import Iterator
from pathlib import Path

from . import kernel, syscalls

CAPABILITY_VERSION = 0x20080522
LAST_CAPABILITY = 63
OWN_USERS = range(0x70010000, 0x7FFE0000)
"""User numbers that nothing assigns (systemd.io, "Users, Groups, UIDs and GIDs"): one is drawn for each interpreter."""
NOBODY = 65534
SYS_PTRACE = 19
"""CAP_SYS_PTRACE: looking into other processes."""


def own_user(readable: list[str], folders: str) -> int | None:
    """Return a user number for one interpreter alone, or None where this process cannot become another user.

    Only root can, and only where any user can read what Python needs and reach what lies in `folders`.
    """
    needed = [Path(path) for path in readable if Path(path).exists()]
    if os.geteuid() != 0 or not all(map(_open_to_all, needed)) or not _reachable_by_all(Path(folders) / "any"):
        return None
    drawn = random.SystemRandom().choice(OWN_USERS)
    for user in (drawn, NOBODY):
        if _can_become(user):
            return user
    return None


def _can_become(user: int) -> bool:
    pid = os.fork()
    if pid == 0:
        try:
            become(user)
        except OSError:
            os._exit(1)
        os._exit(0)
    return os.waitpid(pid, 0)[1] == 0


def become(user: int) -> None:
    """Be that user and no member of any other group. Raises `OSError`."""
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)


def has(capability: int) -> bool:
    """Return whether this process has a capability in force."""
    status = Path("/proc/self/status").read_text()
    return any(int(line.split()[1], 16) >> capability & 1 for line in status.splitlines() if line.startswith("CapEff:"))


@contextlib.contextmanager
def files_as(user: int | None) -> Iterator[None]:
    """Reach files and look into processes as that user would, where it is not None. Nobody may signal this process for it."""
    if user is None:
        yield
        return
    kernel.set_file_user(user, user)
    try:
        yield
    finally:
        kernel.set_file_user(os.geteuid(), os.getegid())


def drop() -> None:
    """Give up every capability for good, and let no program run give any back. Raises `OSError`."""
    for capability in range(LAST_CAPABILITY + 1):
        try:
            kernel.prctl(kernel.PR_CAPBSET_DROP, capability)
        except OSError:
            continue
    with contextlib.suppress(OSError):
        kernel.prctl(kernel.PR_CAP_AMBIENT, kernel.PR_CAP_AMBIENT_CLEAR_ALL)
    if platform.machine() in syscalls.ARCHITECTURES:
        header = ctypes.create_string_buffer(struct.pack("=Ii", CAPABILITY_VERSION, 0), 8)
        nothing = ctypes.create_string_buffer(24)
        kernel.call(syscalls.numbers(syscalls.SETUP, platform.machine())["capset"], header, nothing)
    kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)


def _open_to_all(path: Path) -> bool:
    found = path.resolve()
    return bool(found.stat().st_mode & stat.S_IROTH) and _reachable_by_all(found)


def _reachable_by_all(path: Path) -> bool:
    return all(parent.stat().st_mode & stat.S_IXOTH for parent in path.parents)

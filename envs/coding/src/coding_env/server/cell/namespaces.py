"""Namespaces of Linux, as far as the kernel lets this process have them."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from . import kernel

SHARED = {
    "mount": kernel.CLONE_NEWNS,
    "net": kernel.CLONE_NEWNET,
    "ipc": kernel.CLONE_NEWIPC,
    "uts": kernel.CLONE_NEWUTS,
    "pid": kernel.CLONE_NEWPID,
}
"""What all interpreters of a server share with one another and with nobody else."""


def enter() -> list[str]:
    """Move this process, which must have one thread only, into namespaces; return their names.

    A process namespace begins with a child: the caller goes on in it, and the process that called waits for it and ends.
    """
    entered = ["user"] if os.geteuid() != 0 and _own_users() else []
    for name, flag in SHARED.items():
        try:
            kernel.unshare(flag)
        except OSError:
            continue
        entered.append(name)
    if "mount" in entered and not _hide_mounts():
        entered.remove("mount")
    if "pid" in entered:
        _begin_processes("mount" in entered)
    return entered


def own_user_namespace() -> bool:
    """Move this process into a user namespace of its own, where processes are counted apart; whether that worked."""
    return _own_users()


def hide_processes() -> bool:
    """Empty this process's view of `/proc`, which tells even by its names what others do; whether that worked."""
    try:
        kernel.unshare(kernel.CLONE_NEWNS)
        kernel.mount("none", "/", None, kernel.MS_REC | kernel.MS_PRIVATE)
        kernel.mount("tmpfs", "/proc", "tmpfs", kernel.MS_RDONLY | kernel.MS_NOSUID | kernel.MS_NODEV, "size=4k,mode=555")
    except OSError:
        return False
    return True


def _own_users() -> bool:
    user, group = os.geteuid(), os.getegid()
    try:
        kernel.unshare(kernel.CLONE_NEWUSER)
    except OSError:
        return False
    try:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
    except OSError:
        return False
    return True


def _hide_mounts() -> bool:
    try:
        kernel.mount("none", "/", None, kernel.MS_REC | kernel.MS_PRIVATE)
    except OSError:
        return False
    return True


def _begin_processes(own_mounts: bool) -> None:
    inner = os.fork()
    if inner:
        os.closerange(0, 2)
        _, status = os.waitpid(inner, 0)
        os._exit(abs(os.waitstatus_to_exitcode(status)) & 0xFF)
    kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
    if own_mounts:
        try:
            kernel.mount("proc", "/proc", "proc", kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC)
        except OSError:
            return

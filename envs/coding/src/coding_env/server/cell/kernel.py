"""System calls that Python has no function for."""

from __future__ import annotations

import ctypes
import os

_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long

CLONE_NEWNS = 0x00020000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REC, MS_PRIVATE = 1, 2, 4, 8, 0x4000, 0x40000
MNT_DETACH = 2

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_CAPBSET_DROP, PR_SET_CHILD_SUBREAPER = 1, 4, 24, 36
PR_SET_NO_NEW_PRIVS, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL = 38, 47, 4


def call(number: int, *arguments: ctypes._SimpleCData[int] | ctypes.Array[ctypes.c_char] | int | None) -> int:
    """Do a system call by its number and return its result. Raises `OSError`."""
    as_longs = [ctypes.c_long(argument) if isinstance(argument, int) else argument for argument in arguments]
    return _checked(_libc.syscall(ctypes.c_long(number), *as_longs))


def prctl(option: int, *arguments: int) -> int:
    """Raises `OSError`."""
    filled = [ctypes.c_ulong(argument) for argument in (*arguments, 0, 0, 0, 0)[:4]]
    return _checked(_libc.prctl(ctypes.c_int(option), *filled))


def unshare(flags: int) -> None:
    """Leave namespaces for new ones. Raises `OSError` where the kernel does not allow it."""
    _checked(_libc.unshare(ctypes.c_int(flags)))


def mount(source: str, target: str, kind: str | None, flags: int, options: str = "") -> None:
    """Raises `OSError`."""
    named = None if kind is None else kind.encode()
    _checked(_libc.mount(source.encode(), target.encode(), named, ctypes.c_ulong(flags), options.encode()))


def unmount(target: str) -> None:
    """Raises `OSError`."""
    _checked(_libc.umount2(target.encode(), ctypes.c_int(MNT_DETACH)))


def set_file_user(user: int, group: int) -> None:
    """Be that user where files are concerned, and who else may be looked into."""
    _libc.setfsgid(ctypes.c_uint(group))
    _libc.setfsuid(ctypes.c_uint(user))


def _checked(result: int) -> int:
    if result == -1:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result

"""A seccomp filter: the system calls that Python needs to compute, and no others.

No process can be started, no socket opened, no signal sent elsewhere, no limit raised, whatever the interpreter's state.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct

from . import kernel, syscalls

RET_KILL_PROCESS, RET_ERRNO, RET_ALLOW = 0x80000000, 0x00050000, 0x7FFF0000
SET_MODE_FILTER, FLAG_TSYNC = 1, 1

NUMBER, ARCHITECTURE, ARGUMENTS = 0, 4, 16
"""Offsets in `struct seccomp_data`."""

LOAD, EQUAL, AT_LEAST, ANY_BIT, MASK, RETURN = 0x20, 0x15, 0x35, 0x45, 0x54, 0x06
"""Opcodes of classic BPF: load a word, jump if equal, if ≥, if a bit is set; and with a constant; return."""

X32_BIT = 0x40000000
FIRST_UNKNOWN = 450
"""Calls newer than these are "not implemented", so that the C library takes the older one."""

CLONE_FILES, CLONE_THREAD = 0x00000400, 0x00010000
CLOSE_RANGE_CLOEXEC = 4
AF_UNIX, SOCK_STREAM, SOCK_TYPE_MASK = 1, 1, 0xF
PRCTL_OPTIONS = (15, 16, 0x53564D41)
"""PR_SET_NAME, PR_GET_NAME, PR_SET_VMA: labels, without effect."""
FCNTL_COMMANDS = (0, 1, 2, 3, 4, 5, 1030, 1032)
"""Duplicates, flags, a look at locks and the size of a pipe; not F_SETOWN and the like, which send signals."""
FCNTL_LOCKS = (6, 7)
"""F_SETLK, F_SETLKW: locks between processes. One that is alone with its files always gets them, so they are granted unset;
a lock that is set, on a file which others read too, would be a sign to them. `flock` can fail inside a process, and is refused.
"""
IOCTL_REQUESTS = (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)
"""TCGETS, TIOCGWINSZ, FIONREAD, FIONBIO, FIONCLEX, FIOCLEX."""

Instruction = tuple[int, int, int, int]


def install(tgid: int) -> None:
    """Close this process in, for good; needs `no_new_privs`.

    Args:
        tgid: the process's own number, the only one that it may send signals to.

    Raises:
        OSError: the kernel has no seccomp filters, or does not let this process set one.
        KeyError: an architecture without a table of system calls.
    """
    machine = platform.machine()
    code = b"".join(struct.pack("=HBBI", *instruction) for instruction in program(machine, tgid))
    filled = ctypes.create_string_buffer(code, len(code))
    described = ctypes.create_string_buffer(struct.pack("@HP", len(code) // 8, ctypes.addressof(filled)))
    kernel.call(syscalls.numbers(syscalls.SETUP, machine)["seccomp"], SET_MODE_FILTER, FLAG_TSYNC, described)


def program(machine: str, tgid: int) -> list[Instruction]:
    """Return the filter for an architecture. Raises `KeyError` for an unknown one."""
    conditional = syscalls.numbers(syscalls.CONDITIONAL, machine)
    filtered: list[Instruction] = [
        (LOAD, 0, 0, ARCHITECTURE),
        (EQUAL, 1, 0, syscalls.ARCHITECTURES[machine][1]),
        (RETURN, 0, 0, RET_KILL_PROCESS),
        (LOAD, 0, 0, NUMBER),
        (AT_LEAST, 0, 1, X32_BIT),
        (RETURN, 0, 0, RET_KILL_PROCESS),
    ]
    for table in syscalls.ALLOWED:
        for number in syscalls.numbers(table, machine).values():
            filtered += [(EQUAL, 0, 1, number), (RETURN, 0, 0, RET_ALLOW)]
    for name, conditions in _conditions(tgid).items():
        body = [*conditions, _error(errno.EPERM)]
        filtered += [(EQUAL, 0, len(body), conditional[name]), *body]
    filtered += [(EQUAL, 0, 1, conditional["clone3"]), _error(errno.ENOSYS)]
    filtered += [(AT_LEAST, 0, 1, FIRST_UNKNOWN), _error(errno.ENOSYS), _error(errno.EPERM)]
    return filtered


def _conditions(tgid: int) -> dict[str, list[Instruction]]:
    return {
        "clone": [
            _argument(0),
            (ANY_BIT, 0, 2, CLONE_THREAD),
            (ANY_BIT, 0, 1, CLONE_FILES),
            (RETURN, 0, 0, RET_ALLOW),
        ],
        "close_range": _one_of(2, (0, CLOSE_RANGE_CLOEXEC)),
        "socketpair": [
            _argument(0),
            (EQUAL, 0, 4, AF_UNIX),
            _argument(1),
            (MASK, 0, 0, SOCK_TYPE_MASK),
            (EQUAL, 0, 1, SOCK_STREAM),
            (RETURN, 0, 0, RET_ALLOW),
        ],
        "kill": _one_of(0, (tgid,)),
        "tgkill": _one_of(0, (tgid,)),
        "prctl": _one_of(0, PRCTL_OPTIONS),
        "prlimit64": [
            _argument(2),
            (EQUAL, 0, 3, 0),
            _argument(2, high=True),
            (EQUAL, 0, 1, 0),
            (RETURN, 0, 0, RET_ALLOW),
        ],
        "ioctl": _one_of(1, IOCTL_REQUESTS),
        "fcntl": [*_one_of(1, FCNTL_COMMANDS), *_one_of(1, FCNTL_LOCKS, _error(0))],
    }


def _one_of(place: int, values: tuple[int, ...], then: Instruction = (RETURN, 0, 0, RET_ALLOW)) -> list[Instruction]:
    found = [_argument(place)]
    for value in values:
        found += [(EQUAL, 0, 1, value), then]
    return found


def _argument(place: int, *, high: bool = False) -> Instruction:
    """Load half of an argument; both architectures are little-endian."""
    return (LOAD, 0, 0, ARGUMENTS + 8 * place + 4 * high)


def _error(number: int) -> Instruction:
    return (RETURN, 0, 0, RET_ERRNO | number)


def available() -> bool:
    """Whether this machine has a table of system calls."""
    return os.name == "posix" and platform.machine() in syscalls.ARCHITECTURES

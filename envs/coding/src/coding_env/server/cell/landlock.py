"""Landlock: files that a process can reach at all, whoever owns them. Linux 5.13 and later."""

from __future__ import annotations

import ctypes
import os
import platform
import stat
import struct

from . import kernel, syscalls

CREATE_VERSION = 1
RULE_PATH_BENEATH = 1

EXECUTE, WRITE_FILE, READ_FILE, READ_DIR, REMOVE_DIR, REMOVE_FILE = (1 << bit for bit in range(6))
MAKE_CHAR, MAKE_DIR, MAKE_REG, MAKE_SOCK, MAKE_FIFO, MAKE_BLOCK, MAKE_SYM = (1 << bit for bit in range(6, 13))
REFER, TRUNCATE, IOCTL_DEV = (1 << bit for bit in range(13, 16))
OF_FILES = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV

READ = READ_FILE | READ_DIR
USE = READ | WRITE_FILE | TRUNCATE | REFER | REMOVE_DIR | REMOVE_FILE | MAKE_DIR | MAKE_REG | MAKE_FIFO | MAKE_SYM

NET_TCP = 0b11
"""Binding and connecting."""
SCOPES = 0b11
"""Abstract sockets and signals that leave the process's own domain."""


def version() -> int:
    """Return the kernel's version of Landlock, 0 where there is none."""
    if platform.machine() not in syscalls.ARCHITECTURES:
        return 0
    try:
        return kernel.call(_number("landlock_create_ruleset"), None, 0, CREATE_VERSION)
    except OSError:
        return 0


def restrict(readable: list[str], usable: list[str]) -> int:
    """Leave this process nothing but these files and folders; needs `no_new_privs`. Return Landlock's version.

    Args:
        readable: may be read, with what is beneath; those that do not exist are left out.
        usable: may be written and changed too. Nothing at all may be executed.

    Raises:
        OSError: the kernel has no Landlock, or does not let this process use it.
    """
    known = version()
    handled = (1 << (13 if known < 2 else 14 if known < 3 else 15 if known < 5 else 16)) - 1
    attributes = struct.pack("=QQQ", handled, NET_TCP if known >= 4 else 0, SCOPES if known >= 6 else 0)
    size = 24 if known >= 6 else 16 if known >= 4 else 8
    buffer = ctypes.create_string_buffer(attributes[:size], size)
    ruleset = kernel.call(_number("landlock_create_ruleset"), buffer, size, 0)
    try:
        for paths, rights in ((readable, READ), (usable, USE)):
            for path in paths:
                _allow(ruleset, path, rights & handled)
        kernel.call(_number("landlock_restrict_self"), ruleset, 0)
    finally:
        os.close(ruleset)
    return known


def _allow(ruleset: int, path: str, rights: int) -> None:
    try:
        beneath = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if not stat.S_ISDIR(os.fstat(beneath).st_mode):
            rights &= OF_FILES
        rule = ctypes.create_string_buffer(struct.pack("=Qi", rights, beneath), 12)
        kernel.call(_number("landlock_add_rule"), ruleset, RULE_PATH_BENEATH, rule, 0)
    finally:
        os.close(beneath)


def _number(name: str) -> int:
    return syscalls.numbers(syscalls.SETUP, platform.machine())[name]

"""All walls of an interpreter, put up in the one order that works."""

from __future__ import annotations

import os
import resource
import signal
from pathlib import Path
from typing import Any

from . import kernel, landlock, namespaces, privileges, seccomp
from .folder import MIB, Folder, Watch

DEVICES = ["/dev/null", "/dev/zero", "/dev/full"]
ALWAYS_READABLE = [
    *("/dev/urandom", "/dev/random", "/usr/share/zoneinfo", "/etc/localtime"),
    *("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/etc/ld.so.cache"),
]


CORE_LIMIT = 1
"""Bytes: no file has room in one, and it alone keeps the kernel from handing the memory to a program (Linux, fs/coredump.c)."""


def confine(order: dict[str, Any], folder: Folder, user: int | None, entered: list[str]) -> dict[str, Any]:
    """Close this process in for good and return what holds and what does not.

    Args:
        order: `limits` and `readable` of the interpreter.
        folder: its own folder, where it is from now on, and the only one it may change.
        user: whom it becomes, or None to stay who it is.
        entered: namespaces that it is in already.

    Raises:
        OSError: what every Linux can do did not work.
    """
    enforced, missing = {"no_new_privileges": "yes", "environment": "scrubbed"}, []
    limits = order["limits"]
    os.umask(0o077)
    os.chdir(folder.path)
    os.environ.update(HOME=folder.path, TMPDIR=folder.path)
    _limit(limits)
    processes_are_hidden = namespaces.hide_processes()
    if user is not None:
        privileges.become(user)
        enforced["user"] = "a user of its own, without capabilities"
    else:
        enforced["user"] = "the server's user, without capabilities"
    os.scandir(folder.path).close()
    kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
    kernel.prctl(kernel.PR_SET_DUMPABLE, 0)
    privileges.drop()
    try:
        version = landlock.restrict([*order["readable"], *ALWAYS_READABLE], [folder.path, *DEVICES])
        enforced["files"] = f"Landlock, version {version}"
        if folder.watch is Watch.IF_DUMPABLE:
            kernel.prctl(kernel.PR_SET_DUMPABLE, 1)
        if version < 3:
            missing.append("files: Landlock before version 3 does not keep files from being truncated")
    except OSError as error:
        missing.append(f"files: the kernel has no Landlock for this process ({error.strerror}): only file permissions count")
    try:
        seccomp.install(os.getpid())
        enforced["system_calls"] = "seccomp: no other process, no socket, no signal to others, no raised limit"
    except (OSError, KeyError) as error:
        missing.append(f"processes, network: no seccomp filter could be set ({error}): limits and namespaces only")
    if entered:
        enforced["namespaces"] = ", ".join(entered)
    else:
        missing.append("namespaces: the kernel gives this server none; seccomp and Landlock stand without them")
    if not processes_are_hidden:
        missing.append("processes: which numbers other processes have, and how many threads, can be asked for")
    if user in (None, privileges.NOBODY) and ("own user" not in entered or os.getuid() == 0):
        missing.append("threads: not counted for this user; what bounds them is memory")
    if folder.watch is not Watch.BOUNDED:
        missing.append("disk: the folder is measured five times a second, so a fast writer can briefly pass its limit")
    if folder.watch is Watch.NAMED:
        missing.append("disk: files that are deleted while open are not measured")
    return {"enforced": enforced, "missing": missing}


def _limit(limits: dict[str, Any]) -> None:
    wanted = {
        resource.RLIMIT_AS: _address_space() + limits["memory_mb"] * MIB,
        resource.RLIMIT_FSIZE: limits["disk_mb"] * MIB,
        resource.RLIMIT_NOFILE: limits["open_files"],
        resource.RLIMIT_NPROC: limits["threads"] + 1,
        resource.RLIMIT_CORE: CORE_LIMIT,
        resource.RLIMIT_MEMLOCK: 0,
        resource.RLIMIT_MSGQUEUE: 0,
    }
    for kind, limit in wanted.items():
        hard = resource.getrlimit(kind)[1]
        allowed = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        resource.setrlimit(kind, (allowed, allowed))


def _address_space() -> int:
    """Bytes of address space that this process has already."""
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()

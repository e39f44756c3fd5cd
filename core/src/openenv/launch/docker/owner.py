"""Whose a container is, and whether its owner still lives."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from pathlib import Path

HOST, PID, STARTED = "openenv.owner.host", "openenv.owner.pid", "openenv.owner.started"
"""Labels of everything that is made here."""


def labels() -> dict[str, str]:
    """Return the labels that say that something is this process's."""
    pid = os.getpid()
    return {HOST: host(), PID: str(pid), STARTED: _started(pid) or ""}


def host() -> str:
    """Return what tells where process numbers mean the same: the machine, since it was started, and its process namespace."""
    facts = [platform.node()]
    try:
        facts += [Path("/proc/sys/kernel/random/boot_id").read_text().strip(), str(Path("/proc/self/ns/pid").readlink())]
    except OSError:
        facts += [platform.system()]
    return " ".join(facts)


def is_gone(found: Mapping[str, str]) -> bool:
    """Return whether the process is surely gone that these labels name."""
    if found.get(HOST) != host() or not found.get(PID, "").isdecimal():
        return False
    pid, started = int(found[PID]), found.get(STARTED)
    if started:
        return _started(pid) != started
    if os.name != "posix":
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


def _started(pid: int) -> str | None:
    """Return when a process was started, in the kernel's count; None where it does not run, or cannot be told."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if status[0] in "ZX" else status[19]

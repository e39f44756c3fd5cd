"""How much processor time a process has used."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

USER, SYSTEM = 11, 12
"""Places in /proc/PID/stat after the name, which may hold spaces; see proc(5)."""


def used_s(pid: int) -> float:
    """Return the seconds of processor time that a process and its threads have used.

    Raises:
        OSError, CalledProcessError: there is no such process, or neither `/proc` nor `ps`.
    """
    stat = Path(f"/proc/{pid}/stat")
    if stat.exists():
        fields = stat.read_text().rpartition(")")[2].split()
        return (int(fields[USER]) + int(fields[SYSTEM])) / os.sysconf("SC_CLK_TCK")
    told = subprocess.run(["ps", "-o", "time=", "-p", str(pid)], check=True, capture_output=True, text=True).stdout
    days, _, clock = told.strip().rpartition("-")
    seconds = 0.0
    for part in clock.split(":"):
        seconds = seconds * 60 + float(part)
    return seconds + int(days or 0) * 86400

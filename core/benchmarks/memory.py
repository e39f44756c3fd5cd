"""How much memory a process holds."""

from __future__ import annotations

import subprocess
from pathlib import Path


def resident_mb(pid: int) -> float:
    """Return a process's resident set in MB (10⁶ bytes).

    Raises:
        OSError, CalledProcessError: there is no such process, or neither `/proc` nor `ps`.
    """
    status = Path(f"/proc/{pid}/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmRSS:"))
        return int(line.split()[1]) * 1024 / 1e6
    told = subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], check=True, capture_output=True, text=True)
    return int(told.stdout) * 1024 / 1e6

"""What the system allows a process, where many sessions need more."""

from __future__ import annotations

import functools
import subprocess
import sys

SPARE_FILES = 64
SPARE_THREADS = 16

START_THREADS = """
import sys, threading
over = threading.Event()
begun = 0
try:
    for begun in range(int(sys.argv[1])):
        threading.Thread(target=over.wait).start()
    begun += 1
except RuntimeError:
    pass
over.set()
print(begun)
"""


def obstacle(sessions: int, *, threads: bool) -> str | None:
    """Say what keeps a server from so many sessions here, each with a socket and, if `threads`, a thread; None: nothing."""
    files = _files()
    if files is not None and files < sessions + SPARE_FILES:
        return f"{sessions:,} sockets are more than the {files:,} files that a process may open here (ulimit -Hn)"
    if threads and (begun := _threads(sessions + SPARE_THREADS)) < sessions + SPARE_THREADS:
        return (
            f"{sessions:,} threads are more than the {begun:,} that a process can start here (ulimit -u, pids.max of a cgroup)"
        )
    return None


def _files() -> int | None:
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return None
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    return None if hard == resource.RLIM_INFINITY else hard


@functools.cache
def _threads(wanted: int) -> int:
    """Return how many threads of so many could be started, which a process tries that does nothing else."""
    return int(subprocess.check_output([sys.executable, "-I", "-c", START_THREADS, str(wanted)], text=True))

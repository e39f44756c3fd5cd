"""`python tether.py command…`: run a command that ends, with all it has started, when standard input ends.

Needs no more than the standard library, and is run as a file: whoever holds the other end of the pipe may die in any way.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

GRACE_S = 10.0
"""How long the command gets to stop before it is killed."""


def main(command: list[str]) -> int:
    """Run the command and return its exit code."""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
    threading.Thread(target=_end_with_stdin, args=(process,), daemon=True).start()
    code = process.wait()
    _signal(process, kill=True)
    return code if code >= 0 else 128 - code


def _end_with_stdin(process: subprocess.Popen[bytes]) -> None:
    while os.read(sys.stdin.fileno(), 4096):
        pass
    _signal(process, kill=False)
    try:
        process.wait(GRACE_S)
    except subprocess.TimeoutExpired:
        _signal(process, kill=True)


def _signal(process: subprocess.Popen[bytes], *, kill: bool) -> None:
    """Tell the command to stop, or kill it; with what it has started, where the system knows groups of processes."""
    try:
        if sys.platform == "win32":
            process.kill() if kill else process.terminate()
        else:
            os.killpg(process.pid, signal.SIGKILL if kill else signal.SIGTERM)
    except ProcessLookupError:
        pass  # it has ended


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

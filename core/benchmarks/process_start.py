"""What every server and load generator of the benchmark does when it starts."""

from __future__ import annotations

import os
import socket
import sys
import threading

WANTED_FILES = 8192


def allow_many_sockets() -> None:
    """Raise the soft limit on open files as far as this may be done."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = WANTED_FILES if hard == resource.RLIM_INFINITY else min(WANTED_FILES, hard)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def end_with_parent() -> None:
    """End this process when its standard input does, which is when the one that started it is gone."""

    descriptor = sys.stdin.fileno()

    def wait() -> None:
        while os.read(descriptor, 4096):
            pass
        os._exit(0)

    threading.Thread(target=wait, daemon=True).start()


def listening_socket() -> socket.socket:
    """Open a free port of this machine, print its address, and return it.

    The protocol is named, for asyncio turns off the gathering of small packets only where it is.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    listener.listen(2048)
    print(f"listening on http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    return listener

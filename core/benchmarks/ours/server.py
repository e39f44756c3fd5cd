"""Serves the environment with this project: `python -m ours.server KIND ISOLATION SESSIONS [WORKERS]`."""

from __future__ import annotations

import os
import sys

from process_start import allow_many_sockets, end_with_parent

from openenv.server import serve


def main(kind: str, isolation: str, sessions: str, workers: str = "1") -> None:
    allow_many_sockets()
    end_with_parent()
    os.environ |= {"BENCH_KIND": kind, "OPENENV_ISOLATION": isolation, "OPENENV_MAX_CONCURRENT_ENVS": sessions}
    serve("ours.app:app", port=0, log_level="error", workers=int(workers))


if __name__ == "__main__":
    main(*sys.argv[1:])

"""A server as a process of its own, with the diary that its environments keep."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

SERVE = "-m", "openenv.server"


class ServerProcess:
    """A running server.

    Args:
        folder: for the diary.
        command: what python runs.
        settings: environment variables.
    """

    def __init__(self, folder: Path, *command: str, **settings: str) -> None:
        self.diary = folder / "diary"
        self.diary.touch()
        path = os.pathsep.join(filter(None, [str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]))
        environment = {**os.environ, "PYTHONPATH": path, "DIARY": str(self.diary), **settings}
        self.process = subprocess.Popen(
            [sys.executable, *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
        )
        assert self.process.stdout is not None
        self.url = (self.process.stdout.readline().split() or [""])[-1]

    def events(self) -> list[str]:
        """Return what the environments wrote down."""
        return self.diary.read_text().split()

    def wait(self) -> tuple[int, str]:
        """Return the exit code and what was logged."""
        _, log = self.process.communicate(timeout=20)
        return self.process.returncode, log

    def kill(self) -> None:
        """End it, whatever it does."""
        self.process.kill()
        self.process.communicate()


def alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and waits to be collected does not."""
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True).stdout.strip()
    return bool(state) and not state.startswith("Z")

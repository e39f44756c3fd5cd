"""The published package in a virtual environment of its own, to play against.

`python core/tests/published_package.py` makes the environments: about a minute and 600 MB, once.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

from openenv.launch.readiness import answers

DISTRIBUTIONS = {"0.10.0": "openenv==0.10.0", "0.3.0": "openenv-core==0.3.0"}
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
HOME = Path(os.environ.get("OPENENV_INTEROP_HOME") or CACHE / "openenv-interop")
PROGRAMS = Path(__file__).parent / "published"
VARIABLES = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
"""Environment variables under which its python finds the published package, not ours."""


def interpreter(version: str) -> Path:
    """Return where the python of a version's environment is or would be."""
    return HOME / version / ("Scripts" if sys.platform == "win32" else "bin") / "python"


def command(version: str, program: str, *arguments: str) -> list[str]:
    """Return the command that runs one of the programs beside this file in a version's environment."""
    return [str(interpreter(version)), str(PROGRAMS / program), *arguments]


def is_installed(version: str) -> bool:
    """Return whether a version's environment is complete."""
    return (HOME / version / ".done").exists()


def install(version: str) -> None:
    """Make the environment of a version unless it is there; of several processes that want it, one makes it."""
    HOME.mkdir(parents=True, exist_ok=True)
    with FileLock(HOME / f"{version}.lock"):
        if is_installed(version):
            return
        print(f"installing {DISTRIBUTIONS[version]} into an environment of its own …", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(HOME / version)], check=True)
        subprocess.run([str(interpreter(version)), "-m", "pip", "install", "-q", DISTRIBUTIONS[version]], check=True)
        (HOME / version / ".done").touch()


def needed(version: str) -> None:
    """Make a version's environment where `CI=true`; elsewhere skip the test that needs one that is not there."""
    if not is_installed(version):
        if os.environ.get("CI") != "true":
            import pytest  # benchmarks use this file, and have none

            pytest.skip(f"the published {version} is not here: python core/tests/published_package.py installs it")
        install(version)


@contextmanager
def serving(command: list[str], variables: dict[str, str], stderr: int | None = None) -> Iterator[str]:
    """Run a server that is given its port as its last argument; yields the base URL.

    Args:
        command: without the port.
        variables: of its environment.
        stderr: as for `subprocess.Popen`.
    """
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = subprocess.Popen([*command, str(port)], env=variables, stderr=stderr)
    try:
        assert answers(f"http://127.0.0.1:{port}", 60, alive=lambda: server.poll() is None)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.kill()
        server.wait()


if __name__ == "__main__":
    for name in DISTRIBUTIONS:
        install(name)

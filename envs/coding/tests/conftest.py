"""A server to attack, and a host with things on it that no attack may touch."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import textwrap
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from coding_env import CodeAction, CodingEnv

if sys.platform != "linux":
    collect_ignore_glob = ["test_*.py"]

SERVER_OPTIONS = {
    "CODING_WALL_TIME_S": "4",
    "CODING_CPU_TIME_S": "0.7",
    "CODING_MEMORY_MB": "200",
    "CODING_DISK_MB": "8",
    "CODING_GRADING_TIME_S": "20",
}
SERVER_SECRET = "told-to-the-server-only"
OUTSIDE = "/var/tmp"
"""Not the usual place for temporary files: an interpreter may have one of its own there."""


class Host:
    """Files, a process, sockets and a secret: what a machine has beside the interpreter.

    Attributes:
        token: the secret; it stands in a file, in a file's name, in the environment and in a process's arguments. A trick
            that has it from nowhere else prints `"@NEKOT@"[::-1]`, so that a traceback does not tell it.
    """

    def __init__(self, folder: Path) -> None:
        self.token = f"token{secrets.token_hex(8)}"
        self._folder = folder
        self._canary = folder / "canary"
        self._canary.write_text("sings")
        os.utime(self._canary, (1_000_000_000, 1_000_000_000))
        self._secret = folder / "secret.py"
        self._secret.write_text(f"print('{self.token}')\n")
        (folder / self.token).touch()
        self._is_aimed_at = False
        self._victim = subprocess.Popen([self.token, "60"], executable=shutil.which("sleep"), env={"SECRET": self.token})
        self._tcp = socket.create_server(("127.0.0.1", 0))
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._udp.bind(("127.0.0.1", 0))
        self._stream = socket.socket(socket.AF_UNIX)
        self._stream.bind(str(folder / "stream"))
        self._abstract = socket.socket(socket.AF_UNIX)
        self._abstract.bind(f"\0{self.token}")
        self._datagrams = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._datagrams.bind(str(folder / "datagrams"))
        self._listeners = {"tcp": self._tcp, "stream": self._stream, "abstract": self._abstract}
        for listener in self._listeners.values():
            listener.listen()
        self._before = self._seen()

    def fill(self, trick: str) -> str:
        """Return a trick with this host's names in it."""
        names = {
            "NEKOT": self.token[::-1],
            "SECRET": str(self._secret),
            "CANARY": str(self._canary),
            "FOLDER": str(self._folder),
            "VICTIM": str(self._victim.pid),
            "TCP_PORT": str(self._tcp.getsockname()[1]),
            "UDP_PORT": str(self._udp.getsockname()[1]),
        }
        self._is_aimed_at = "@VICTIM@" in trick
        code = textwrap.dedent(trick)
        for name, value in names.items():
            code = code.replace(f"@{name}@", value)
        return code

    def damage(self, *texts: str) -> list[str]:
        """Return what has been touched or told since the start."""
        found = ["a secret was told"] if any(secret in text for text in texts for secret in (self.token, SERVER_SECRET)) else []
        if self._seen() != self._before:
            found.append(f"files: {self._before} became {self._seen()}")
        with suppress(subprocess.TimeoutExpired):
            self._victim.wait(0.5 if self._is_aimed_at else 0)  # who is killed is gone a moment later
            found.append("the process was ended")
        for name, listener in {**self._listeners, "udp": self._udp, "datagrams": self._datagrams}.items():
            listener.setblocking(False)
            try:
                listener.accept()[0].close() if name in self._listeners else listener.recv(100)
            except BlockingIOError:
                continue
            found.append(f"{name} was reached")
        return found

    def _seen(self) -> list[tuple[Any, ...]]:
        return [
            (path.name, found.st_mode, found.st_size, found.st_mtime_ns, path.read_bytes() if path.is_file() else b"")
            for path in sorted(self._folder.iterdir())
            for found in (path.lstat(),)
        ]

    def close(self) -> None:
        self._victim.kill()
        self._victim.wait()
        for each in (*self._listeners.values(), self._udp, self._datagrams):
            each.close()
        shutil.rmtree(self._folder)


@pytest.fixture
def withstand(session: Any) -> Iterator[Callable[..., Any]]:
    """Attacks: `withstand(trick, executor)` fails unless the trick does damage without walls, and none here."""
    hosts: list[Host] = []

    def new_host() -> Host:
        folder = Path(tempfile.mkdtemp(prefix="coding-host-", dir=OUTSIDE))
        folder.chmod(0o777)
        hosts.append(Host(folder))
        return hosts[-1]

    def run(trick: str, executor: str, *, works: bool = True, may_be_forbidden: bool = False) -> Any:
        if works and not unprotected(trick, new_host()):
            assert may_be_forbidden, "the trick does not work even without walls"
            pytest.skip("this system forbids the trick by itself")
        host = new_host()
        seen = attack_with(session, executor, host.fill(trick))
        assert host.damage(seen.stdout, seen.stderr) == []
        return seen

    yield run
    for host in hosts:
        host.close()


@pytest.fixture
def attack(session: Any) -> Callable[..., Any]:
    """Runs code in a fresh episode, shows that the grade is honest and the server at work, and returns the observation."""
    return partial(attack_with, session)


def unprotected(trick: str, host: Host) -> list[str]:
    """Run a trick as a plain program and return the damage: what a wall must prevent."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", f"import os\n{host.fill(trick)}"],
            cwd=folder,
            env={"SECRET": host.token, "PATH": os.environ["PATH"]},
            capture_output=True,
            text=True,
            timeout=100,
        )
    return host.damage(done.stdout, done.stderr)


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """The address of a server process, strict with time and memory, whose environment holds a secret."""
    with Path(os.devnull).open() as nothing:
        process = subprocess.Popen(
            [sys.executable, "-m", "openenv.server", "coding_env.server.app:app", "--port", str(port := _free_port())],
            stdin=nothing,
            env={**os.environ, **SERVER_OPTIONS, "SECRET": SERVER_SECRET},
        )
    try:
        _wait_for(port, process)
        yield f"http://127.0.0.1:{port}"
        assert process.poll() is None, "the server ended"
    finally:
        process.terminate()
        process.wait(30)


@pytest.fixture(scope="session")
def session(server: str) -> Iterator[Any]:
    """One session of that server, whose every episode is another test's."""
    with CodingEnv(base_url=server).sync() as env:
        env.reset()
        yield env


TASK = {
    "name": "double",
    "prompt": "Write double(n).",
    "tests": [{"function": "double", "args": [4], "expected": 8}, {"function": "double", "args": ["ab"], "expected": "abab"}],
    "max_steps": 5,
}
SOLUTION = "def double(n):\n    return n + n\n"


def attack_with(session: Any, executor: str, code: str, *, recovers: bool = True) -> Any:
    session.reset(seed=1, executor=executor, task=TASK)
    result = session.step(CodeAction(code=code))
    assert result.observation.metadata["tests"]["passed"] == 0
    assert result.reward <= 0
    solved = session.step(CodeAction(code=SOLUTION))
    assert solved.observation.metadata["tests"]["passed"] == (2 if recovers else 0), solved
    assert solved.done == recovers
    return result.observation


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    pause = threading.Event()
    for _ in range(600):
        assert process.poll() is None, "the server did not start"
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        pause.wait(0.05)
    raise AssertionError("the server did not start in time")

"""The processes that a benchmark starts: servers, and load generators that take commands."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

HERE = Path(__file__).parent
LISTENING = "listening on "
PATIENCE_S = 180.0
"""A program that says nothing for so long is ended."""


class BenchmarkError(Exception):
    """A process ended or told of an error; the message says what it said."""


class Program:
    """A python program of this folder, which is killed when the block ends and ends by itself when this process does.

    Args:
        python: the interpreter.
        module: what to run, with its arguments.
        search: folders for `PYTHONPATH`.
    """

    def __init__(self, python: Path, *module: str, search: tuple[Path, ...] = ()) -> None:
        self._name = " ".join(module)
        self._complaints = tempfile.TemporaryFile("w+", errors="replace")  # noqa: SIM115 - closed by close()
        environment = {name: value for name, value in os.environ.items() if not name.startswith("OPENENV_")}
        environment["PYTHONPATH"] = os.pathsep.join(map(str, search))
        self.started = time.perf_counter()
        self._process = subprocess.Popen(
            [str(python), "-m", *module],
            cwd=HERE,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._complaints,
            text=True,
            env=environment,
        )
        self.pid = self._process.pid

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def line(self) -> str:
        """Return the next line that it prints. Raises `BenchmarkError` where it ends instead."""
        assert self._process.stdout is not None
        watchdog = threading.Timer(PATIENCE_S, self._process.kill)
        watchdog.daemon = True
        watchdog.start()
        line = self._process.stdout.readline()
        watchdog.cancel()
        if not line:
            self._process.wait()
            self._complaints.seek(0)
            said = self._complaints.read().strip().splitlines()[-15:]
            raise BenchmarkError("\n  ".join([f"{self._name} ended with code {self._process.returncode}:", *said]))
        return line

    def tell(self, line: str) -> None:
        """Write a line to it."""
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._complaints):
            if stream is not None:
                stream.close()


class Server(Program):
    """A program that tells its address once its port is open."""

    _url = ""

    def url(self) -> str:
        """Wait for the address and return it."""
        while not self._url:
            self._url = self.line().partition(LISTENING)[2].strip()
        return self._url


class Generator(Program):
    """A program that answers commands; see `load.py`."""

    def __init__(self, python: Path, side: str, search: tuple[Path, ...] = ()) -> None:
        super().__init__(python, "load", side, search=search)
        self._facts: dict[str, str] | None = None

    def facts(self) -> dict[str, str]:
        """Wait until it is ready and return what it says of itself: `package`, `loop`, `python`."""
        if self._facts is None:
            self._facts = json.loads(self.line())
        return self._facts

    def command(self, do: str, **details: Any) -> dict[str, Any]:
        """Return the answer to a command. Raises `BenchmarkError` where it failed."""
        self.facts()
        self.tell(json.dumps({"do": do, **details}))
        answer: dict[str, Any] = json.loads(self.line())
        if "error" in answer:
            raise BenchmarkError(f"{self._name}, {do}: {answer['error']}")
        return answer

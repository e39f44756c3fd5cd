"""A server as a process of this machine."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
import weakref
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import IO, Any

from ..errors import LaunchError
from .provider import RuntimeProvider
from .readiness import answers

LISTENING = "openenv: listening on "
"""How the server's line begins that tells its address."""

LISTENING_LINE = re.compile(rf"^{LISTENING}(\S+)")

KEPT_LINES = 40


class ProcessProvider(RuntimeProvider):
    """Runs `python -m openenv.server` with an app, on a port that the process itself finds free.

    The process holds the read end of a pipe from this one and stops when that ends, which it does however this one ends.

    Args:
        app: `module:attribute` of the app.
        env_vars: environment variables of the process, over this one's.
        port: 0 takes a free one.
        startup_timeout_s: seconds until it must answer. Default 60.
        stop_timeout_s: seconds it gets to stop before it is killed. Default 15.
    """

    def __init__(
        self,
        app: str,
        *,
        env_vars: Mapping[str, str] | None = None,
        port: int = 0,
        startup_timeout_s: float = 60.0,
        stop_timeout_s: float = 15.0,
    ) -> None:
        self.app = app
        self._env_vars = dict(env_vars or {})
        self._port = port
        self._startup_timeout_s = startup_timeout_s
        self._stop_timeout_s = stop_timeout_s
        self._process: ServerProcess | None = None

    def start(self, port: int | None = None, env_vars: dict[str, str] | None = None, **options: Any) -> str:
        """See `RuntimeProvider.start`; returns once the server has bound its port."""
        if self._process is not None:
            raise LaunchError(f"{self.app} is running already")
        if options:
            raise LaunchError(f"a process takes no {', '.join(sorted(options))}")
        server = ServerProcess(self.app, self._command(port), {**self._env_vars, **(env_vars or {})}, LISTENING_LINE)
        self._process = server
        url = server.wait_for_url(self._startup_timeout_s)
        if url is None:
            raise self._failed(server, f"{self.app} did not open its port within {self._startup_timeout_s:g} s")
        return url

    def wait_for_ready(self, timeout_s: float | None = None) -> None:
        """See `RuntimeProvider.wait_for_ready`."""
        server = self._process
        if server is None or server.url is None:
            raise LaunchError(f"{self.app} has not been started")
        limit = self._startup_timeout_s if timeout_s is None else timeout_s
        if not answers(server.url, limit, alive=server.running):
            raise self._failed(server, f"{self.app} did not answer within {limit:g} s")

    def stop(self) -> None:
        """End the process: ask it, and kill it where it does not listen in time."""
        server, self._process = self._process, None
        if server is not None:
            server.stop(self._stop_timeout_s)

    def is_running(self) -> bool:
        """See `RuntimeProvider.is_running`."""
        server = self._process
        return server is not None and server.running()

    def _command(self, port: int | None) -> list[str]:
        chosen = str(self._port if port is None else port)
        return [sys.executable, "-m", "openenv.server", self.app, "--port", chosen, "--stop-with-stdin"]

    def _failed(self, server: ServerProcess, what: str) -> LaunchError:
        error = LaunchError(server.report(what))
        self.stop()
        return error

    @property
    def output(self) -> list[str]:
        """The last lines that the server printed."""
        return list(self._process.lines) if self._process is not None else []


class ServerProcess:
    """One running process, its pipe, and what it prints.

    Args:
        app: what it serves, for messages.
        command: starts it; it has to end when its standard input does.
        env_vars: environment variables, over this process's.
        listening: finds the address, as its first group, in the line that tells it.
    """

    def __init__(self, app: str, command: Sequence[str], env_vars: Mapping[str, str], listening: re.Pattern[str]) -> None:
        self.app = app
        self.lines: deque[str] = deque(maxlen=KEPT_LINES)
        self._urls: list[str] = []
        self._told = threading.Event()
        self._process = subprocess.Popen(
            list(command),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env={**os.environ, "PYTHONUNBUFFERED": "1", **env_vars},
            start_new_session=True,
        )
        output = (self._process.stdout, listening, self.lines, self._told, self._urls)
        self._reading = threading.Thread(target=_read, args=output, name="openenv-server-output", daemon=True)
        self._reading.start()
        self._finalizer = weakref.finalize(self, _close_pipe, self._process)

    @property
    def url(self) -> str | None:
        """Where it listens; None before it has told."""
        return self._urls[0] if self._urls else None

    def running(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def wait(self) -> None:
        """Return once it has ended."""
        self._process.wait()

    def wait_for_url(self, timeout_s: float) -> str | None:
        """Return where it listens as soon as it tells, or None where it does not in time or ends."""
        self._told.wait(timeout_s)
        return self.url

    def report(self, what: str) -> str:
        """Say what went wrong, with the exit code and the last lines of output."""
        if self._told.is_set() and self.url is None:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(1.0)  # it has closed its output, and is about to end
        if not self.running():
            self._reading.join(1.0)
        code = self._process.poll()
        if code is not None:
            what = f"{self.app} ended with code {code} before it answered"
        output = "\n  ".join(self.lines) if self.lines else "(it printed nothing)"
        return f"{what}; its last output:\n  {output}"

    def stop(self, timeout_s: float) -> None:
        """End it: close its pipe, and kill it where it does not end in time."""
        self._finalizer.detach()
        _end(self._process, timeout_s)
        self._reading.join(1.0)


def _read(
    output: IO[str] | None, listening: re.Pattern[str], lines: deque[str], told: threading.Event, urls: list[str]
) -> None:
    """Keep the last lines of a server's output, and its address."""
    assert output is not None
    with output:
        for line in output:
            if found := listening.search(line):
                urls.append(found[1])
                told.set()
            else:
                lines.append(line.rstrip())
    told.set()


def _close_pipe(process: subprocess.Popen[str]) -> None:
    """Tell the server to stop."""
    if process.stdin is not None:
        process.stdin.close()


def _end(process: subprocess.Popen[str], timeout_s: float) -> None:
    """Tell the server to stop, and kill it after `timeout_s`."""
    _close_pipe(process)
    try:
        process.wait(timeout_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()

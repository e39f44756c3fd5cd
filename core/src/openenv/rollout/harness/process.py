"""A harness as a process that is talked to line by line."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
import weakref
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import IO

from ...errors import HarnessNotRunningError, HarnessStartupError, UsageError
from .line_queue import LineQueue

KEPT_ERROR_LINES = 50
LONGEST_ERROR_LINE = 4096
AFTER_OUTPUT_S = 1.0
"""How long a process that has closed its output may take to end."""


class HarnessProcess:
    """A child process whose standard input and output carry lines of UTF-8.

    It may be used from several event loops, one after another. It is ended, with every process that it started (POSIX),
    by `stop`, and at the latest when this object or this process goes away.

    Args:
        command: the program and its arguments.
        cwd: where it runs.
        env_vars: environment variables, over this process's.
        startup_timeout_s: seconds until it must be ready. Default 30.
        terminate_grace_s: seconds it gets to end by itself before it is killed. Default 5.

    Raises:
        UsageError: the command is empty.
    """

    def __init__(
        self,
        command: list[str],
        cwd: str,
        env_vars: dict[str, str] | None = None,
        startup_timeout_s: float = 30.0,
        terminate_grace_s: float = 5.0,
    ) -> None:
        if not command:
            raise UsageError("a harness's command has at least the name of a program")
        self._command = list(command)
        self._cwd = cwd
        self._env_vars = dict(env_vars or {})
        self._startup_timeout_s = startup_timeout_s
        self._terminate_grace_s = terminate_grace_s
        self._child: _Child | None = None

    def is_running(self) -> bool:
        """Return whether the process has been started and has not ended."""
        return self._child is not None and self._child.exit_code() is None

    def drain_stderr(self) -> str:
        """Return the last lines that the process wrote to its standard error, at most 50."""
        return "" if self._child is None else "".join(self._child.errors)

    async def start(self, ready_check: Callable[[str], bool] | None = None) -> None:
        """Start the process.

        Args:
            ready_check: told each line until it says True to one, which means that the process is ready; these lines are
                then gone. None: it is ready at once.

        Raises:
            HarnessStartupError: it is running already, cannot be started, or is not ready in time; it is ended then.
        """
        if self.is_running():
            raise HarnessStartupError("the harness is running already")
        try:
            self._child = _Child(self._command, self._cwd, {**os.environ, **self._env_vars})
        except OSError as error:
            raise HarnessStartupError(f"the harness {self._command[0]} could not be started: {error}") from error
        if ready_check is not None:
            try:
                await self._ready(self._child, ready_check)
            except BaseException:
                await self.stop()
                raise

    async def stop(self) -> None:
        """End the process: ask it to, and kill it where it does not in time."""
        if self._child is not None:
            await asyncio.to_thread(self._child.end, self._terminate_grace_s)

    async def write_line(self, text: str) -> None:
        """Write a line to its standard input.

        Raises:
            HarnessNotRunningError: it is not running, or reads no more.
        """
        if self._child is None or not self.is_running():
            raise HarnessNotRunningError("the harness is not running, so nothing can be said to it")
        try:
            await asyncio.to_thread(self._child.write, f"{text}\n".encode())
        except (OSError, ValueError) as error:
            raise HarnessNotRunningError(f"the harness reads no more: {error}") from error

    async def read_line(self, timeout_s: float | None = None) -> str | None:
        """Return the next line of its standard output, without its end.

        None where there is none any more, or none came within `timeout_s`: `is_running` tells which. A line that comes
        later is not lost.
        """
        return None if self._child is None else await self._child.lines.get(timeout_s)

    async def _ready(self, child: _Child, ready_check: Callable[[str], bool]) -> None:
        try:
            async with asyncio.timeout(self._startup_timeout_s):
                while (line := await child.lines.get()) is not None:
                    if ready_check(line):
                        return
        except TimeoutError:
            told = f"the harness was not ready within {self._startup_timeout_s:g} s"
            raise HarnessStartupError(self._with_errors(told)) from None
        code = await asyncio.to_thread(child.wait, AFTER_OUTPUT_S)
        how = "closed its output" if code is None else f"exited with code {code}"
        raise HarnessStartupError(self._with_errors(f"the harness {how} before it was ready"))

    def _with_errors(self, told: str) -> str:
        errors = self.drain_stderr().strip()
        return f"{told}; it said: {errors}" if errors else told


class _Child:
    """One run of the process, with the threads that read what it says."""

    def __init__(self, command: list[str], cwd: str, environment: dict[str, str]) -> None:
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(
            command, cwd=cwd, env=environment, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True
        )
        self._turn = threading.Lock()
        self._writing = threading.Lock()
        self._ended = False
        self.lines = LineQueue()
        self.errors: deque[str] = deque(maxlen=KEPT_ERROR_LINES)
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        reading = ((_read, self._process.stdout, self.lines), (_keep, self._process.stderr, self.errors))
        self._readers = [threading.Thread(target=target, args=args, daemon=True) for target, *args in reading]
        for reader in self._readers:
            reader.start()
        weakref.finalize(self, _kill_unless_ended, self._process)

    def exit_code(self) -> int | None:
        """Return the code that it ended with, None while it runs."""
        return self.wait(0)

    def wait(self, timeout_s: float) -> int | None:
        """Return the code that it ends with, None where that takes longer. What it started ends with it."""
        try:
            self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return None
        with self._turn:
            if not self._ended:
                self._ended = True
                _signal(self._process, killing=True)
        return self._process.returncode

    def write(self, data: bytes) -> None:
        """Write to its standard input. Raises `OSError` or `ValueError` where that is closed."""
        assert self._process.stdin is not None
        with self._writing:
            self._process.stdin.write(data)
            self._process.stdin.flush()

    def end(self, grace_s: float) -> None:
        """End it, and let go of its pipes."""
        if self.exit_code() is None:
            _signal(self._process, killing=False)
            if self.wait(grace_s) is None:
                _signal(self._process, killing=True)
                self.wait(grace_s)
        self.lines.end()
        for reader in self._readers:
            reader.join(AFTER_OUTPUT_S)
        if self._writing.acquire(timeout=AFTER_OUTPUT_S):
            _close(self._process.stdin)
            self._writing.release()


def _read(output: IO[bytes], lines: LineQueue) -> None:
    with output:
        for line in output:
            lines.put(line.decode("utf-8", "replace").rstrip("\r\n"))
    lines.end()


def _keep(output: IO[bytes], errors: deque[str]) -> None:
    with output:
        while line := output.readline(LONGEST_ERROR_LINE):
            errors.append(line.decode("utf-8", "replace"))


def _close(pipe: IO[bytes] | None) -> None:
    with suppress(OSError):  # what was still to be written has no reader
        if pipe is not None:
            pipe.close()


def _kill_unless_ended(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        _signal(process, killing=True)
        process.wait()
    _close(process.stdin)


if sys.platform == "win32":

    def _signal(process: subprocess.Popen[bytes], *, killing: bool) -> None:
        if killing:
            process.kill()
        else:
            process.terminate()

else:

    def _signal(process: subprocess.Popen[bytes], *, killing: bool) -> None:
        """Signal a process and every process of its group, in which what it started is too."""
        with suppress(ProcessLookupError, PermissionError):  # none of them is left
            os.killpg(process.pid, signal.SIGKILL if killing else signal.SIGTERM)

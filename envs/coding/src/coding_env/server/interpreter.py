"""One interpreter, as the server holds it."""

from __future__ import annotations

import contextlib
import os
import secrets
import select
import socket
import tempfile
import time
from dataclasses import dataclass
from typing import Any

from .capture import Capture
from .cell.frames import Reader, pack
from .cell.keeper import GO_ON, KILL, PAUSE
from .nursery import nursery, readable
from .options import Options

LIMIT_EXIT_CODE = 124
"""As `timeout` of the GNU core utilities has it."""
SIGNAL_EXIT_CODE = 128
START_TIMEOUT_S = 60.0
END_TIMEOUT_S = 20.0
LONGEST_REPLY = 4 * 1024 * 1024

WALL_TIME = "wall_time"
EXITED = "exited"
TAMPERED = "tampered"


@dataclass(frozen=True)
class Outcome:
    """What came of a request.

    Attributes:
        stdout, stderr: what was written meanwhile.
        exit_code: as in `CodeObservation`.
        reply: what the interpreter answered, which its code may have made up; None where it ended instead.
        ended_by: why it ended: `wall_time`, `cpu_time`, `disk`, `exited` (by itself), `tampered` (it broke its connection
            to the server); None where it goes on.
    """

    stdout: str
    stderr: str
    exit_code: int
    reply: dict[str, Any] | None
    ended_by: str | None


class Interpreter:
    """A process that runs code, from its start to its end; it stands still between requests. Close it.

    Args:
        options: executor and limits.
        seed: of its `random`; None for a fresh one.
        stdin: text that its standard input holds.

    Raises:
        RuntimeError: the machinery failed, or a wall is missing that the options demand.
        ValueError: the options cannot be met.
    """

    def __init__(self, options: Options, seed: int | None = None, stdin: str = "") -> None:
        self._options = options
        self._replies = Reader(LONGEST_REPLY)
        self._told = Reader(LONGEST_REPLY)
        self._ended: dict[str, Any] | None = None
        self._out, self._err = Capture(options.output_bytes), Capture(options.output_bytes)
        self._control, their_control = socket.socketpair()
        self._channel, their_channel = socket.socketpair()
        try:
            with their_control, their_channel, tempfile.TemporaryFile() as given:
                given.write(stdin.encode("utf-8", "surrogatepass"))
                given.flush()
                read_only = os.open(f"/proc/self/fd/{given.fileno()}", os.O_RDONLY)
                try:
                    files = [their_control.fileno(), their_channel.fileno(), read_only, self._out.theirs, self._err.theirs]
                    nursery(options.executor).start(self._order(seed), files)
                finally:
                    os.close(read_only)
            self._out.given()
            self._err.given()
            self.protection = self._wait_until_ready()
        except OSError as error:
            self.close()
            raise RuntimeError(f"the interpreter could not be started: {error}") from error
        except BaseException:
            self.close()
            raise

    @property
    def alive(self) -> bool:
        """Whether it can be given more."""
        return self._ended is None

    def run(self, code: str, name: str, wall_time_s: float) -> Outcome:
        """Run code and wait until it is done, or until a limit has ended the interpreter.

        Args:
            name: what tracebacks call the code.
            wall_time_s: seconds it may take.

        Raises:
            RuntimeError: the machinery failed; nothing is known of the code.
        """
        outcome = self._request({"do": "run", "code": code, "name": name}, wall_time_s)
        if outcome.reply is not None and not (type(outcome.exit_code) is int and 0 <= outcome.exit_code <= 255):
            return self._broken(outcome)
        return outcome

    def call(self, function: str, args: list[Any], kwargs: dict[str, Any], wall_time_s: float) -> Outcome:
        """Call a function; the reply has `value` (see `cell.plain`), `raised` or `not_plain`. Raises `RuntimeError`."""
        return self._request({"do": "call", "function": function, "args": args, "kwargs": kwargs}, wall_time_s)

    def close(self) -> None:
        """End the process, its folder and all that it started; returns when they are gone. Twice does no harm."""
        if self._control.fileno() >= 0:
            if self._ended is None:
                with contextlib.suppress(RuntimeError):
                    self._end()
            self._control.close()
            self._channel.close()
        self._out.close()
        self._err.close()

    def _order(self, seed: int | None) -> dict[str, Any]:
        options = self._options
        limits = ("cpu_time_s", "memory_mb", "open_files", "threads", "disk_mb")
        return {
            "executor": options.executor,
            "imports": options.imports,
            "seed": seed,
            "limits": {name: getattr(options, name) for name in limits},
            "readable": readable(),
            "folders": options.folders or tempfile.gettempdir(),
        }

    def _wait_until_ready(self) -> dict[str, Any]:
        replies = self._wait(time.monotonic() + START_TIMEOUT_S)
        if self._ended is not None or not replies:
            raise RuntimeError(f"the interpreter did not start: {self._ended or 'no answer'}")
        if "failed" in replies[0]:
            raise ValueError(f"the interpreter cannot be had so: {replies[0]['failed']}")
        protection: dict[str, Any] = replies[0]["ready"]
        lacking = {"system_calls", "files"} - protection["enforced"].keys()
        if self._options.protection == "full" and lacking:
            raise RuntimeError(
                f"protection is 'full', and this system lacks some: {'; '.join(protection['missing'])}; "
                "CODING_PROTECTION=available runs with what there is"
            )
        return protection

    def _request(self, request: dict[str, Any], wall_time_s: float) -> Outcome:
        number = secrets.token_hex(8)
        message = pack({**request, "id": number})
        deadline = time.monotonic() + wall_time_s
        try:
            self._command(GO_ON, "going")
            replies = self._wait(deadline, message)
            if not self.alive or replies is None:
                return self._over(EXITED)
            if not replies:
                return self._over(WALL_TIME)
            if len(replies) != 1 or replies[0].get("id") != number or not self._replies.empty:
                return self._over(TAMPERED)
            if not self._pause():
                return self._over(EXITED)
        except ValueError:
            return self._over(TAMPERED)
        exit_code = replies[0].get("exit_code", 0)
        return Outcome(self._out.take(), self._err.take(), exit_code, replies[0], None)

    def _broken(self, outcome: Outcome) -> Outcome:
        over = self._over(TAMPERED)
        return Outcome(outcome.stdout, outcome.stderr, over.exit_code, None, TAMPERED)

    def _over(self, reason: str) -> Outcome:
        """End the process for a reason, and say how that looks."""
        if self._ended is None:
            self._end()
        assert self._ended is not None
        reason = self._ended["reason"] or reason
        code = self._ended["ended"]
        exit_code = code if code >= 0 else SIGNAL_EXIT_CODE - code
        if reason != EXITED:
            exit_code = LIMIT_EXIT_CODE
        return Outcome(self._out.take(), self._err.take(), exit_code, None, reason)

    def _pause(self) -> bool:
        """Have the process stand still; False where it ended. Raises `ValueError` where it said more than it was asked."""
        self._command(PAUSE, "paused")
        if self.alive and (self._channel_data() or not self._replies.empty):
            raise ValueError("an answer that nobody asked for")
        return self.alive

    def _end(self) -> None:
        with contextlib.suppress(OSError):
            self._command(KILL, "ended")

    def _command(self, command: bytes, expected: str) -> None:
        """Have the keeper do something and wait until it has; reads the streams meanwhile."""
        with contextlib.suppress(BrokenPipeError):
            self._control.sendall(command)
        deadline = time.monotonic() + END_TIMEOUT_S
        while True:
            for told in self._read_control(deadline):
                if expected in told or self._ended is not None:
                    return

    def _read_control(self, deadline: float) -> list[dict[str, Any]]:
        """Wait for the keeper and return what it says. Raises `RuntimeError` where it is gone or silent."""
        while not (ready := self._readable([self._control, *self._streams()], deadline)) or self._control not in ready:
            if time.monotonic() >= deadline:
                raise RuntimeError("the interpreter's keeper does not answer")
            for stream in ready:
                stream.read()
        return self._control_messages()

    def _control_messages(self) -> list[dict[str, Any]]:
        data = self._control.recv(1 << 16)
        if not data:
            self._ended = self._ended or {"ended": -9, "reason": None}
            raise RuntimeError("the interpreter's keeper is gone")
        messages = self._told.feed(data)
        for message in messages:
            if "failed" in message:
                self._ended = {"ended": -9, "reason": None}
                raise RuntimeError(f"the interpreter could not be kept: {message['failed']}")
            if "ended" in message:
                self._ended = message
        return messages

    def _wait(self, deadline: float, message: bytes = b"") -> list[dict[str, Any]] | None:
        """Send a message, then wait for answers.

        Returns:
            the answers; none at the deadline, or where the keeper says that it has ended; None where the channel is closed.

        Raises:
            ValueError: what came is no answer.
        """
        pending = memoryview(message)
        while time.monotonic() < deadline and self._ended is None:
            sending = [self._channel] if pending else []
            watched = [self._control, self._channel, *self._streams()]
            ready = self._readable(watched, deadline, sending)
            if pending:
                pending = self._send(pending)
            for each in ready:
                if isinstance(each, Capture):
                    each.read()
                elif each is self._control:
                    self._control_messages()
            if self._channel in ready:
                data = self._channel_data()
                if not data:
                    return None
                if replies := self._replies.feed(data):
                    return replies
        return []

    def _send(self, pending: memoryview) -> memoryview:
        try:
            return pending[self._channel.send(pending, socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL) :]
        except BlockingIOError:
            return pending
        except (BrokenPipeError, ConnectionResetError):
            return pending[:0]

    def _channel_data(self) -> bytes:
        """What waits on the channel, at once; nothing where there is none or its end."""
        try:
            return self._channel.recv(1 << 16, socket.MSG_DONTWAIT)
        except (BlockingIOError, ConnectionResetError):
            return b""

    def _streams(self) -> list[Capture]:
        return [stream for stream in (self._out, self._err) if stream.open]

    def _readable(self, watched: list[Any], deadline: float, sending: list[Any] | None = None) -> list[Any]:
        poll = select.poll()
        by_number = {each.fileno(): each for each in watched}
        for number in by_number:
            poll.register(number, select.POLLIN)
        for each in sending or ():
            poll.register(each.fileno(), select.POLLIN | select.POLLOUT)
        events = poll.poll(max(0.0, deadline - time.monotonic()) * 1000)
        return [by_number[number] for number, event in events if event & ~select.POLLOUT]

"""What runs in the process of an environment: it builds the environment, does the calls that arrive, and ends."""

from __future__ import annotations

import asyncio
import faulthandler
import inspect
import logging
import os
import pickle
import signal
import socket
import sys
import threading
from collections.abc import Callable
from typing import Any, BinaryIO, cast

from ...errors import OpenEnvError
from ..calls import Calls, Encode
from . import frames
from .handover import Handover, unpack

PR_SET_PDEATHSIG = 1


def main(channel: str) -> None:
    """Be the process of an environment, started as a fresh interpreter."""
    with_server()
    connection = open_channel(channel)
    stream = connection.makefile("rb", buffering=0)
    first = frames.read(stream)
    if first is not None:
        live(unpack(first[1]), connection)


def with_server() -> None:
    """Take the terms on which this package's processes run: print to standard error, and end with who started them."""
    os.dup2(2, 1)
    faulthandler.enable(all_threads=False)
    end_with_parent()


def end_with_parent() -> None:
    """Have the system kill this process with the one that started it, where it can (Linux)."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def open_channel(name: str) -> socket.socket:
    """Return the socket that whoever started this process gave it."""
    if sys.platform == "win32":
        return socket.fromshare(os.read(0, int(name)))
    channel = socket.socket(fileno=int(name))
    channel.set_inheritable(False)
    return channel


def live(handover: Handover, channel: socket.socket) -> None:
    """Serve one session and end the process; never returns.

    Standard input is the lifeline: a pipe from the server that ends, however the server does, and this process with it.
    """
    code = 1
    try:
        _hold_lifeline()
        _speak(handover.log_level)
        handover.limits.begin()
        _Child(handover, channel).run()
        code = 0
    except BaseException:
        sys.excepthook(*sys.exc_info())  # type: ignore[arg-type]
    finally:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(code)


def _hold_lifeline() -> None:
    lifeline = os.dup(0)
    with open(os.devnull) as nothing:
        os.dup2(nothing.fileno(), 0)
    threading.Thread(target=_end_with, args=(lifeline,), name="openenv-lifeline", daemon=True).start()


def _end_with(lifeline: int) -> None:
    while os.read(lifeline, 1):
        pass
    if hasattr(os, "killpg"):
        os.killpg(0, signal.SIGKILL)
    os._exit(1)


def _speak(log_level: int) -> None:
    """Let lines out as they are printed, and tell what this package logs here."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True, errors="backslashreplace")  # type: ignore[union-attr]
    logger = logging.getLogger("openenv")
    logger.addHandler(logging.StreamHandler())
    logger.setLevel(log_level)
    logger.propagate = False


class _Child:
    """Does what the frames say, in the order in which they come."""

    def __init__(self, handover: Handover, channel: socket.socket) -> None:
        self._is_async = handover.spec.is_async
        self._limits = handover.limits
        self._calls = Calls(handover.spec, handover.max_message_bytes)
        self._channel = channel
        self._encoders: list[Encode] = []

    def run(self) -> None:
        """Live from the environment's building to its closing."""
        if self._is_async:
            asyncio.run(self._run_async())
        else:
            self._run()

    def _run(self) -> None:
        stream = cast(BinaryIO, self._channel.makefile("rb"))
        if not self._answer(self._open):
            return
        while (arrived := frames.read(stream)) is not None:
            kind, payload = arrived
            if kind == frames.CALL:
                self._answer(self._call, payload)
            elif kind == frames.ENCODER:
                self._encoders.append(pickle.loads(payload))
            else:
                self._answer(self._close)
                return

    def _answer(self, function: Callable[..., bytes], *arguments: Any) -> bool:
        """Send what a function returns or raises; return whether it returned."""
        try:
            with self._limits.call():
                data = function(*arguments)
        except Exception as error:
            self._channel.sendall(frames.error_frame(error))
            return False
        frames.send(self._channel, frames.DATA, data)
        return True

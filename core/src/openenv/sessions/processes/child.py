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
from collections.abc import Coroutine
from typing import Any

from ...wire.messages import Request
from ..calls import Calls, Encode
from . import frames
from .handover import Handover, unpack
from .link import Link, live_blocking, live_on_loop

PR_SET_PDEATHSIG = 1


def main(channel: str) -> None:
    """Be the process of an environment, started as a fresh interpreter; never returns."""
    on_terms_of_server()
    connection = given_socket(channel)
    first = frames.Reader(connection).read()
    if first is None:
        sys.exit(1)
    live(unpack(first[1]), connection)


def on_terms_of_server() -> None:
    """Do what every process of this package does: print to standard error alone, and end with who started it."""
    os.dup2(2, 1)
    sys.stdout = os.fdopen(1, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False)
    sys.stderr.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    faulthandler.enable(all_threads=False)
    end_with_parent()


def end_with_parent() -> None:
    """Have the system kill this process with the one that started it, where it can (Linux)."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def given_socket(name: str) -> socket.socket:
    """Return the socket that whoever started this process gave it."""
    if sys.platform == "win32":
        with open(0, "rb", buffering=0, closefd=False) as shared:
            return socket.fromshare(shared.read(int.from_bytes(shared.read(4), "little")))
    given = socket.socket(fileno=int(name))
    given.set_inheritable(False)
    return given


def live(handover: Handover, channel: socket.socket) -> None:
    """Serve one session and end the process; never returns.

    Standard input is the lifeline: it ends with the server, however that ends, and takes this process along.
    """
    code = 1
    try:
        _hold_lifeline()
        _log_from(handover.log_level)
        handover.limits.begin()
        run = _Child(handover).run
        if handover.spec.is_async:
            asyncio.run(live_on_loop(run, channel))
        else:
            live_blocking(run, channel)
        code = 0
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _hold_lifeline() -> None:
    lifeline = os.dup(0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    threading.Thread(target=_end_with, args=(lifeline,), name="openenv-lifeline", daemon=True).start()


def _end_with(lifeline: int) -> None:
    while os.read(lifeline, 1):
        pass
    if hasattr(os, "killpg"):
        os.killpg(0, signal.SIGKILL)
    os._exit(1)


def _log_from(log_level: int) -> None:
    """Print what this package logs, from a level on."""
    logger = logging.getLogger("openenv")
    logger.addHandler(logging.StreamHandler())
    logger.setLevel(log_level)
    logger.propagate = False


class _Child:
    """Does what the frames say, in the order in which they come."""

    def __init__(self, handover: Handover) -> None:
        self._is_async = handover.spec.is_async
        self._limits = handover.limits
        self._calls = Calls(handover.spec, handover.max_message_bytes)
        self._encoders: list[Encode] = []

    async def run(self, link: Link) -> None:
        """Live from the environment's building to its closing."""
        kind, payload = await self._outcome(self._open())
        await link.send(kind, payload)
        while kind != frames.CLOSE and (arrived := await link.receive()) is not None:
            kind, payload = arrived
            if kind == frames.ENCODER:
                self._encoders.append(pickle.loads(payload))
            else:
                work = self._close() if kind == frames.CLOSE else self._call(payload)
                await link.send(*await self._outcome(work))

    async def _outcome(self, work: Coroutine[Any, Any, bytes]) -> tuple[int, bytes]:
        try:
            return frames.DATA, await work
        except (Exception, asyncio.CancelledError) as error:
            return frames.ERROR, frames.error_payload(error)

    async def _open(self) -> bytes:
        self._calls.open()
        return b""

    async def _call(self, payload: bytes) -> bytes:
        encoder, *fields = pickle.loads(payload)
        request, encode = Request(*fields), self._encoders[encoder]
        self._limits.begin_call()
        try:
            return await self._calls.run_async(request, encode) if self._is_async else self._calls.run(request, encode)
        finally:
            self._limits.end_call()

    async def _close(self) -> bytes:
        self._limits.begin_call()
        closing = self._calls.close()
        if inspect.isawaitable(closing):
            await closing
        return b""

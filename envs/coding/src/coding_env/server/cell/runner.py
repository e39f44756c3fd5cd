"""Inside the interpreter's process: runs what the server sends, and answers. Whatever it says may come from an agent."""

from __future__ import annotations

import builtins
import contextlib
import os
import random
import socket
import sys
from importlib import import_module
from typing import Any, Protocol

from .frames import pack, receive
from .plain import NotPlain, plain

OWN_ERRORS = frozenset(kind for kind in vars(builtins).values() if isinstance(kind, type) and issubclass(kind, BaseException))
MODULES = {"cpython": ".cpython", "smolagents": ".smol"}


class Executor(Protocol):
    """Runs code in one lasting set of variables."""

    def run(self, code: str, name: str) -> int:
        """Run code, known by a name in its tracebacks, and return the exit code; errors go to standard error."""

    def function(self, name: str) -> Any:
        """Return what the code so far calls by a name. Raises `NameError`."""


def load(executor: str) -> None:
    """Import what an executor needs, so that interpreters start with it. Raises `ImportError`."""
    import_module(MODULES[executor], __package__)


def executor(order: dict[str, Any]) -> Executor:
    """Return the executor of an order, its streams and generator set up; its module must be loaded.

    Raises:
        ValueError: an allowed import is not installed.
    """
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stdout = sys.__stdout__ = _stream(1)  # type: ignore[misc]
    sys.stderr = sys.__stderr__ = _stream(2)  # type: ignore[misc]
    if order["seed"] is not None:
        random.seed(str(order["seed"]))
    made: Executor = sys.modules[f"{__package__}{MODULES[order['executor']]}"].Interpreter(order["imports"])
    return made


def serve(channel: socket.socket, executor: Executor) -> None:
    """Answer the server's requests until it closes the channel."""
    while (request := receive(channel)) is not None:
        if request["do"] == "run":
            reply: dict[str, Any] = {"exit_code": executor.run(request["code"], request["name"])}
        else:
            reply = _called(executor, request)
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(BaseException):
                stream.flush()
        channel.sendall(pack({**reply, "id": request["id"]}))
    os._exit(0)


def _called(executor: Executor, request: dict[str, Any]) -> dict[str, Any]:
    try:
        value = executor.function(request["function"])(*request["args"], **request["kwargs"])
        return {"value": plain(value)}
    except NotPlain as error:
        return {"not_plain": str(error)}
    except BaseException as error:
        return {"raised": _classes(error)}


def _classes(error: BaseException) -> dict[str, list[str]]:
    """Names of an error's classes: Python's own, and others, which may have any name."""
    kinds = type(error).__mro__[:-1]
    return {
        "own": [kind.__name__ for kind in kinds if kind in OWN_ERRORS],
        "others": [kind.__name__ for kind in kinds if kind not in OWN_ERRORS],
    }


def _stream(fd: int) -> Any:
    return open(fd, "w", encoding="utf-8", errors="backslashreplace", buffering=1, closefd=False)

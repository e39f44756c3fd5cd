"""Environments that break in every way that a process contains."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from openenv import Action, Environment, Observation, State

MEBIBYTE = 1024 * 1024


class Deed(Action):
    """What to do, and how much of it."""

    kind: str = "add"
    amount: int = 0


class Sight(Observation):
    """The total, where it was counted, and what the deed gave."""

    total: int = 0
    process: int = 0
    parent: int = 0
    in_main_thread: bool = True
    text: str = ""


def add(amount: int) -> str:
    return ""


def refuse(amount: int) -> str:
    raise ValueError("refused")


def leave(amount: int) -> str:
    for line in range(100):
        print(f"line {line}")
    print("leaving now", file=sys.stderr)
    os._exit(amount)


def segfault(amount: int) -> str:
    return str(ctypes.string_at(0))


def loop(amount: int) -> str:
    while True:
        pass


def hold_the_interpreter(amount: int) -> str:
    """Loop in C without ever letting another thread run."""
    return str(re.match(r"(a+)+$", "a" * 64 + "b"))


def allocate(amount: int) -> str:
    held = [bytearray(16 * MEBIBYTE) for _ in range(amount // 16)]
    return f"{len(held)} blocks"


def recurse(amount: int) -> str:
    return recurse(amount + 1)


def recurse_in_c(amount: int) -> str:
    sys.setrecursionlimit(10**9)
    return str(list(map(recurse_in_c, [amount])))


def be_huge(amount: int) -> str:
    return "x" * amount


def write_anywhere(amount: int) -> str:
    """Write nonsense into every file that the process has open, the channel to its server for one."""
    for descriptor in range(3, 64):
        with contextlib.suppress(OSError):
            os.write(descriptor, b"\xff" * 64)
    return ""


def print_without_end(amount: int) -> str:
    while True:
        print("and on")


def leave_a_program(amount: int) -> str:
    """Start a program that outlives its process, unless somebody sees to it; return its process id."""
    return str(subprocess.Popen(["sleep", "600"]).pid)


DEEDS: dict[str, Callable[[int], str]] = {
    deed.__name__: deed
    for deed in (
        add,
        refuse,
        leave,
        segfault,
        loop,
        hold_the_interpreter,
        allocate,
        recurse,
        recurse_in_c,
        be_huge,
        write_anywhere,
        print_without_end,
        leave_a_program,
    )
}


class Faulty(Environment[Deed, Sight, State]):
    """Counts; does not say that several may live in one process."""

    def __init__(self, start: int = 0) -> None:
        super().__init__()
        self._start = start
        self._total = start

    def reset(self, seed: int | None = None, episode_id: str | None = None) -> Sight:
        self._total = self._start + (seed or 0)
        return self._sight()

    def step(self, action: Deed, timeout_s: float | None = None) -> Sight:
        text = DEEDS[action.kind](action.amount)
        self._total += action.amount
        return self._sight(text)

    def _sight(self, text: str = "") -> Sight:
        main = threading.current_thread() is threading.main_thread()
        return Sight(total=self._total, process=os.getpid(), parent=os.getppid(), in_main_thread=main, text=text)

    @property
    def state(self) -> State:
        return State()


class Ticking(Environment[Deed, Sight, State]):
    """Waits on an event loop, on which a task of its own counts between the calls."""

    def __init__(self) -> None:
        super().__init__()
        self._total = 0
        self._counting = asyncio.get_running_loop().create_task(self._count())

    async def _count(self) -> None:
        while True:
            await asyncio.sleep(0.002)
            self._total += 1

    async def reset(self, seed: int | None = None, episode_id: str | None = None) -> Sight:  # type: ignore[override]
        await asyncio.sleep(0)
        return Sight(total=self._total, process=os.getpid())

    async def step(self, action: Deed, timeout_s: float | None = None) -> Sight:  # type: ignore[override]
        if action.kind == "cancelled":
            raise asyncio.CancelledError
        await asyncio.sleep(0)
        return Sight(total=self._total, process=os.getpid(), text=DEEDS[action.kind](action.amount))

    @property
    def state(self) -> State:
        return State()

    async def close(self) -> None:  # type: ignore[override]
        self._counting.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._counting
        print("the counting has ended")


class SlowToBuild(Faulty):
    """Takes its time, and says when it is done."""

    BUILD_S = 0.5

    def __init__(self) -> None:
        super().__init__()
        time.sleep(self.BUILD_S)
        print("built", os.getpid())


class Unbuildable(Faulty):
    """Notes each try in a file; fails, ends, or never returns, as other files beside it say."""

    def __init__(self, directory: str) -> None:
        super().__init__()
        with (Path(directory) / "tries").open("a") as tries:
            tries.write("x")
        if (Path(directory) / "broken").exists():
            raise OSError("out of order")
        if (Path(directory) / "deadly").exists():
            print("too bad")
            os._exit(5)
        if (Path(directory) / "hanging").exists():
            loop(0)


def nested() -> Any:
    """Return a class that has no name in its module."""

    class Nested(Faulty):
        pass

    return Nested

"""An environment that turns on the machine it runs on, in every way that a container contains."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

from openenv import Action, EnvClient, Environment, Observation, State
from openenv.server import create_app

MEBIBYTE = 1024 * 1024


class Deed(Action):
    """What to do; `count` does nothing else."""

    kind: str = "count"
    target: str = ""


class Sight(Observation):
    """How many steps there have been, and what the deed gave."""

    steps: int = 0
    text: str = ""


def count(target: str) -> str:
    return ""


def fill_memory(target: str) -> str:
    held = []
    while True:
        held.append(bytearray(b"x" * MEBIBYTE))


def fork_without_end(target: str) -> str:
    while True:
        with contextlib.suppress(OSError):
            os.fork()


def start_threads(target: str) -> str:
    while True:
        threading.Thread(target=time.sleep, args=(60,), daemon=True).start()


def write(target: str) -> str:
    Path(target).write_text("mine now")
    return "written"


def read(target: str) -> str:
    return Path(target).read_text().strip()


def fill(target: str) -> str:
    with Path(target).open("wb") as file:
        while True:
            file.write(b"x" * MEBIBYTE)
            file.flush()


def reach(target: str) -> str:
    host, _, port = target.partition(":")
    with socket.create_connection((host, int(port)), 1):
        return "reached"


def flood_the_log(target: str) -> str:
    """Print past every capture into what the engine keeps of the container: long lines, and one that does not end."""
    with Path("/proc/1/fd/1").open("wb", buffering=0) as output:
        for _ in range(32):
            output.write((b"y" * 999 + b"\n") * 1024)
        for _ in range(8):
            output.write(b"z" * MEBIBYTE)
    return "printed"


DEEDS: dict[str, Callable[[str], str]] = {
    deed.__name__: deed
    for deed in (count, fill_memory, fork_without_end, start_threads, write, read, fill, reach, flood_the_log)
}


class Bomber(Environment[Deed, Sight, State]):
    """Counts its steps, and does what it is told."""

    ISOLATION = "process"

    def __init__(self) -> None:
        super().__init__()
        self._steps = 0

    def reset(self, seed: int | None = None, episode_id: str | None = None) -> Sight:
        self._steps = 0
        return Sight()

    def step(self, action: Deed, timeout_s: float | None = None) -> Sight:
        text = DEEDS[action.kind](action.target)
        self._steps += 1
        return Sight(steps=self._steps, text=text, reward=1.0)

    @property
    def state(self) -> State:
        return State()


class BomberEnv(EnvClient[Deed, Sight, State]):
    """Plays `Bomber`."""


app = create_app(Bomber)

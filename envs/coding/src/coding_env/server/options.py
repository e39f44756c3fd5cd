"""What whoever runs the server can choose, each by an environment variable too."""

from __future__ import annotations

import math
import os
import reprlib
from dataclasses import dataclass, fields, replace
from typing import Any

EXECUTORS = ("smolagents", "cpython")
PROTECTIONS = ("available", "full")
PREFIX = "CODING_"
KINDS: dict[str, tuple[tuple[type, ...], str]] = {
    "int": ((int,), "a whole number"),
    "float": ((int, float), "a number"),
    "str": ((str,), "text"),
    "str | None": ((str, type(None)), "text"),
}
"""What a field of each annotation may be; a truth value is no number."""


@dataclass(frozen=True)
class Options:
    """How code is run. `CODING_` and the name in capitals sets each from outside.

    Attributes:
        executor: `smolagents`, an interpreter of its own that refuses most of what is dangerous, or `cpython`, the real one.
        allowed_imports: modules that code may import, with commas between them; `*` for all. None: smolagents' harmless
            few for that executor, all for `cpython`.
        wall_time_s: seconds that a step may take. Default 10.
        cpu_time_s: CPU seconds of a step, all threads together. Default 10.
        memory_mb: MiB of address space beyond what the interpreter has at its start. Default 512.
        output_bytes: bytes kept of each stream of a step; what is beyond is dropped, and said so. Default 100,000.
        open_files: files open at once. Default 64.
        threads: threads beside the first. Default 16.
        disk_mb: MiB in the episode's folder. Default 64.
        code_bytes: longest code of a step. Default 1,000,000.
        grading_time_s: seconds that grading a step may take, all tests together. Default 30.
        protection: `available` takes the walls that the system has and says which it lacks; `full` refuses to run without
            seccomp and Landlock.
        folders: where episodes' folders are made; None takes the system's place for temporary files.
    """

    executor: str = "smolagents"
    allowed_imports: str | None = None
    wall_time_s: float = 10.0
    cpu_time_s: float = 10.0
    memory_mb: int = 512
    output_bytes: int = 100_000
    open_files: int = 64
    threads: int = 16
    disk_mb: int = 64
    code_bytes: int = 1_000_000
    grading_time_s: float = 30.0
    protection: str = "available"
    folders: str | None = None

    def __post_init__(self) -> None:
        for name, allowed in (("executor", EXECUTORS), ("protection", PROTECTIONS)):
            if getattr(self, name) not in allowed:
                raise ValueError(f"{name} must be {' or '.join(allowed)}, not {reprlib.repr(getattr(self, name))}")
        for field in fields(self):
            value, kinds, called = getattr(self, field.name), *KINDS[str(field.type)]
            if type(value) not in kinds:
                raise ValueError(f"{field.name} must be {called}, not {reprlib.repr(value)}")
            if isinstance(value, int | float) and not _least(field.name) <= value < math.inf:
                raise ValueError(f"{field.name} must be at least {_least(field.name)}, and finite, not {value}")

    @property
    def imports(self) -> list[str]:
        """The allowed modules by name."""
        if self.allowed_imports is None:
            return ["*"] if self.executor == "cpython" else []
        return [name.strip() for name in self.allowed_imports.split(",") if name.strip()]

    @classmethod
    def from_environment(cls, **given: Any) -> Options:
        """Return the options that the environment variables make, under those given that are not None.

        Raises:
            ValueError: one holds what it cannot be, or a given name is none.
        """
        known = {field.name: str(field.type) for field in fields(cls)}
        unknown = given.keys() - known.keys()
        if unknown:
            raise ValueError(f"no such option: {reprlib.repr(min(unknown))}; there are: {', '.join(known)}")
        chosen = {name: _read(name, kind) for name, kind in known.items()}
        chosen.update(given)
        return replace(cls(), **{name: value for name, value in chosen.items() if value is not None})


def _least(name: str) -> float:
    return {"open_files": 16, "threads": 0, "memory_mb": 16}.get(name, 0.01 if name.endswith("_s") else 1)


def _read(name: str, kind: str) -> Any:
    variable = PREFIX + name.upper()
    text = os.environ.get(variable, "").strip()
    if not text:
        return None
    if kind.startswith("str"):
        return text
    try:
        return int(text) if kind == "int" else float(text)
    except ValueError:
        raise ValueError(f"{variable}={reprlib.repr(text)} is not {KINDS[kind][1]}") from None

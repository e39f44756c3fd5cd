"""Rewards as transforms, each of which adds its part to an observation and notes it in `metadata["rewards"]`.

Compose them as the environment's `transform`:

    CodingEnvironment(transform=CompositeTransform([PassedTests(), UnsafePattern(reward=-0.5)]))
"""

from __future__ import annotations

import re
import unicodedata
from abc import abstractmethod
from typing import ClassVar

from openenv.contract.transforms import CompositeTransform, Transform

from ..models import CodeObservation

_MODULES = """
    builtins code codeop ctypes faulthandler fcntl gc importlib inspect marshal mmap multiprocessing os pickle pkgutil posix
    pty resource runpy shutil signal site socket subprocess sys threading _thread tempfile webbrowser
"""
_NAMES = """
    __import__ breakpoint compile eval exec globals vars
    __base__ __bases__ __builtins__ __class__ __closure__ __code__ __dict__ __globals__ __loader__ __mro__ __reduce__
    __reduce_ex__ __self__ __spec__ __subclasses__ __traceback__
    ag_frame cr_frame f_back f_builtins f_globals f_locals gi_frame tb_frame tb_next
"""
UNSAFE_MODULES = frozenset(_MODULES.split())
UNSAFE_NAMES = frozenset(_NAMES.split())

LONGEST_NAME = 100

_TEXT = re.compile(
    r"""
    \\\r?\n | \#[^\n]*+
    | (?: (?<!\w) (?P<prefix>[bfrtu]{1,2}) )?+
      (?:
        \"{3} (?:[^"\\]++ | \\. | \"(?!\"{2}))*+ (?:\"{3})?+ | '{3} (?:[^'\\]++ | \\. | '(?!'{2}))*+ (?:'{3})?+
        | \" (?:[^"\\\n]++ | \\.)*+ \"?+ | ' (?:[^'\\\n]++ | \\.)*+ '?+
      )
    """,
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)
"""A continued line, a comment, or text in quotes; text that does not end goes on to the end of the line or the code."""
_FIELD = re.compile(r"\{([^{}]*+)")
_WORD = re.compile(r"\w++")
_IMPORT = re.compile(r"(?<![^\n;:])[ \t\f]*+import\b([^\n;:]*+)")
_FROM = re.compile(r"(?<![^\n;:])[ \t\f]*+from\b[ \t\f]*+(\w++)")


class Reward(Transform[CodeObservation]):
    """Adds `value(observation)` to the reward of a step; None adds nothing."""

    name: ClassVar[str]

    def __call__(self, observation: CodeObservation) -> CodeObservation:
        value = self.value(observation)
        if value is None:
            return observation
        observation.reward = (observation.reward or 0.0) + value
        parts = {**observation.metadata.get("rewards", {}), self.name: value}
        observation.metadata = {**observation.metadata, "rewards": parts}
        return observation

    @abstractmethod
    def value(self, observation: CodeObservation) -> float | None:
        """Return this part of the reward, or None where it does not apply."""


class RanWithoutError(Reward):
    """For code that ran to its end with exit code 0, where no task says what the code is for.

    Args:
        reward: for such code. Default 1.
        otherwise: for other code. Default 0.
        with_tests: whether it counts beside a task's tests too. Default False.
    """

    name = "ran_without_error"

    def __init__(self, reward: float = 1.0, otherwise: float = 0.0, *, with_tests: bool = False) -> None:
        self._reward, self._otherwise, self._with_tests = reward, otherwise, with_tests

    def value(self, observation: CodeObservation) -> float | None:
        if "tests" in observation.metadata and not self._with_tests:
            return None
        return self._reward if observation.exit_code == 0 else self._otherwise


class UnsafePattern(Reward):
    """For code that reaches for what a program of the given kind does not need. It discourages; the walls are elsewhere.

    Args:
        reward: for such code. Default -1.
        modules: names that must not be imported.
        names: names that must not appear at all; text and comments do not count.
    """

    name = "unsafe_pattern"

    def __init__(
        self, reward: float = -1.0, modules: frozenset[str] = UNSAFE_MODULES, names: frozenset[str] = UNSAFE_NAMES
    ) -> None:
        self._reward, self._modules, self._names = reward, modules, names

    def value(self, observation: CodeObservation) -> float | None:
        return self._reward if self.found(observation.code) else None

    def found(self, code: str) -> str | None:
        """Return an unsafe name of some code, or None."""
        if code.isascii() and not any(name in code for name in (*self._names, *self._modules)):
            return None
        bare = _without_text(code)
        return min(
            (_normal(set(_WORD.findall(bare))) & self._names) or (_normal(_imported(bare)) & self._modules), default=None
        )


class PassedTests(Reward):
    """For tests of the task that pass now and did not before: over an episode this adds up to `reward` at most.

    Args:
        reward: for all tests together. Default 1.
    """

    name = "passed_tests"

    def __init__(self, reward: float = 1.0) -> None:
        self._reward = reward

    def value(self, observation: CodeObservation) -> float | None:
        tests = observation.metadata.get("tests")
        if tests is None:
            return None
        return float(self._reward * max(0, tests["passed"] - tests["best_before"]) / tests["total"])


def standard_rewards() -> CompositeTransform[CodeObservation]:
    """Return what the environment uses unless told otherwise."""
    return CompositeTransform([PassedTests(), RanWithoutError(), UnsafePattern()])


def _without_text(code: str) -> str:
    """Some code less its comments and what stands in quotes; of formatted text the fields stay.

    Code is read, never parsed: Python's parser can be made to exhaust its stack, and its tokenizer takes seconds for a
    megabyte. This takes time in proportion to the code.
    """
    return _TEXT.sub(_fields, code)


def _fields(found: re.Match[str]) -> str:
    if "f" not in (found["prefix"] or "").lower():
        return " "
    fields = _FIELD.findall(found[0].replace("{{", " "))
    return _without_text("\n".join((" ", *fields, " "))) if fields else " "


def _imported(bare: str) -> set[str]:
    """First parts of the names of modules that statements import."""
    parts = (part for clause in _IMPORT.findall(bare) for part in clause.split(","))
    return {name for part in parts for name in _WORD.findall(part)[:1]}.union(_FROM.findall(bare))


def _normal(names: set[str]) -> set[str]:
    """Names as Python reads them, where they are short enough to be looked for."""
    return {name if name.isascii() else unicodedata.normalize("NFKC", name) for name in names if len(name) <= LONGEST_NAME}

"""Rewards as transforms, each of which adds its part to an observation and notes it in `metadata["rewards"]`.

Compose them as the environment's `transform`:

    CodingEnvironment(transform=CompositeTransform([PassedTests(), UnsafePattern(reward=-0.5)]))
"""

from __future__ import annotations

import io
import keyword
import tokenize
from abc import abstractmethod
from collections.abc import Iterator
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
        """Return the first unsafe name of some code, or None."""
        for name, is_import in _names(code):
            if name in (self._modules if is_import else self._names):
                return name
        return None


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


def _names(code: str) -> Iterator[tuple[str, bool]]:
    """Each name in some code, and whether it is the first part of an imported module's. Code is read, never parsed:
    Python's parser can be made to exhaust its stack."""
    statement: list[str] = []
    try:
        for token in tokenize.generate_tokens(io.StringIO(code).readline):
            if token.type == tokenize.NEWLINE or token.string in (";", ":"):
                statement.clear()
            elif token.type == tokenize.NAME:
                yield token.string, _names_module(statement) and not keyword.iskeyword(token.string)
            if token.type in (tokenize.NAME, tokenize.OP) and token.string not in (";", ":"):
                statement.append(token.string)
    except (tokenize.TokenError, SyntaxError):
        return


def _names_module(statement: list[str]) -> bool:
    """Whether a module's name comes next in a statement that begins so."""
    if not statement:
        return False
    if statement[0] == "import":
        return statement[-1] in ("import", ",")
    return statement == ["from"]

"""Grades what an agent programmed, where the agent cannot reach: in fresh processes, the verdicts in this one.

The tests' expectations stay here. A process gets the agent's code and one call at a time, and gives back plain data, or
what a program printed; comparing is done on this side, on values that have no methods of the agent's.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import Any

from ..tasks import CallTest, CodeTask, ProgramTest
from .interpreter import Interpreter
from .options import Options

LEAST_TIME_S = 0.01


class Grader:
    """Grades one episode's code.

    Args:
        task: what is to be done.
        options: executor and limits of the processes.
        seed: of their `random`.
    """

    def __init__(self, task: CodeTask, options: Options, seed: int | None) -> None:
        self._task = task
        self._options = options
        self._seed = seed

    def passed(self, cells: Sequence[str], *, went_on: bool) -> int:
        """Return how many tests pass.

        Functions are called after all cells have run again, in order, in one process; where a call ends that, another
        takes its place. A program is the last cell alone, in a process for each test. What is not reached within
        `grading_time_s` has not passed.

        Args:
            cells: the code of the agent's steps.
            went_on: whether the agent's own interpreter outlived the last of them. Where it did not, no function is left
                to call.

        Raises:
            RuntimeError: the machinery failed; there is no verdict.
        """
        deadline = time.monotonic() + self._options.grading_time_s
        calls = [test for test in self._task.tests if isinstance(test, CallTest) and went_on]
        programs = [test for test in self._task.tests if isinstance(test, ProgramTest)]
        return self._calls(calls, cells, deadline) + sum(self._program(test, cells[-1], deadline) for test in programs)

    def _calls(self, tests: Sequence[CallTest], cells: Sequence[str], deadline: float) -> int:
        passed = 0
        interpreter: Interpreter | None = None
        try:
            for test in tests:
                if interpreter is None or not interpreter.alive:
                    if interpreter is not None:
                        interpreter.close()
                    interpreter = self._prepared(cells, deadline)
                left = self._time_left(deadline)
                if interpreter is None or left <= LEAST_TIME_S:
                    break
                outcome = interpreter.call(test.function, test.args, test.kwargs, left)
                passed += outcome.reply is not None and _meets(outcome.reply, test)
        finally:
            if interpreter is not None:
                interpreter.close()
        return passed

    def _prepared(self, cells: Sequence[str], deadline: float) -> Interpreter | None:
        """A process that has run the setup and the cells, or None where they end it or take all the time."""
        interpreter = Interpreter(self._options, self._seed)
        try:
            if self._ran(interpreter, cells, deadline):
                return interpreter
        except BaseException:
            interpreter.close()
            raise
        interpreter.close()
        return None

    def _ran(self, interpreter: Interpreter, cells: Sequence[str], deadline: float) -> bool:
        for number, code in enumerate((self._task.setup, *cells)):
            left = self._time_left(deadline)
            if left <= LEAST_TIME_S or interpreter.run(code, f"<step {number}>", left).ended_by is not None:
                return False
        return True

    def _program(self, test: ProgramTest, code: str, deadline: float) -> bool:
        interpreter = Interpreter(self._options, self._seed, stdin=test.stdin)
        try:
            if interpreter.run(self._task.setup, "<setup>", self._time_left(deadline)).ended_by is not None:
                return False
            outcome = interpreter.run(code, "<program>", self._time_left(deadline))
        finally:
            interpreter.close()
        return outcome.exit_code == 0 and _lines(outcome.stdout) == _lines(test.stdout)

    def _time_left(self, deadline: float) -> float:
        return max(LEAST_TIME_S, min(self._options.wall_time_s, deadline - time.monotonic()))


def _meets(reply: dict[str, Any], test: CallTest) -> bool:
    if test.raises is not None:
        raised = reply.get("raised")
        return isinstance(raised, list) and test.raises in raised
    return "value" in reply and equal(test.expected, reply["value"], test.tolerance)


def equal(expected: Any, found: Any, tolerance: float = 0.0) -> bool:
    """Return whether a value, written as `cell.plain` writes it, is the expected one.

    Numbers are equal by value, truth values only to truth values, lists also to tuples, and to sets of the same members;
    numbers as keys also to their text, which is what JSON makes of them. NaN equals NaN. A malformed value equals nothing.
    """
    if isinstance(found, dict):
        if len(found) != 1:
            return False
        (form, held), *_ = found.items()
        if not isinstance(held, list):
            return False
        if form == "dict":
            return isinstance(expected, dict) and _equal_dicts(expected, held, tolerance)
        if form == "set":
            return isinstance(expected, list | tuple | set | frozenset) and _equal_sets(list(expected), held, tolerance)
        ordered = form == "list" and isinstance(expected, list | tuple) and len(expected) == len(held)
        return ordered and all(equal(one, other, tolerance) for one, other in zip(expected, held, strict=True))
    if isinstance(expected, bool) or isinstance(found, bool):
        return expected is found
    if isinstance(expected, int | float) and isinstance(found, int | float):
        return _equal_numbers(expected, found, tolerance)
    return isinstance(expected, str | None) and type(expected) is type(found) and bool(expected == found)


def _equal_numbers(expected: float, found: float, tolerance: float) -> bool:
    if expected == found or (expected != expected and found != found):
        return True
    try:
        return tolerance > 0 and math.isclose(expected, found, rel_tol=tolerance, abs_tol=tolerance)
    except OverflowError:
        return False


def _equal_sets(expected: list[Any], held: list[Any], tolerance: float) -> bool:
    if len(expected) != len(held):
        return False
    left = list(held)
    for one in expected:
        match = next((place for place, other in enumerate(left) if equal(one, other, tolerance)), None)
        if match is None:
            return False
        del left[match]
    return not left


def _equal_dicts(expected: dict[Any, Any], pairs: list[Any], tolerance: float) -> bool:
    found: dict[Any, Any] = {}
    for pair in pairs:
        if not isinstance(pair, list) or len(pair) != 2 or isinstance(pair[0], list | dict):
            return False
        found[_key(pair[0])] = pair[1]
    wanted = {_key(key): value for key, value in expected.items()}
    if len(found) != len(pairs) or wanted.keys() != found.keys():
        return False
    return all(equal(value, found[key], tolerance) for key, value in wanted.items())


def _key(key: Any) -> Any:
    return str(key) if isinstance(key, int | float) and not isinstance(key, bool) else key


def _lines(text: str) -> list[str]:
    return [line.rstrip() for line in text.rstrip().split("\n")]

"""The contract that every environment keeps."""

from __future__ import annotations

from typing import Any

from coding_env.server.environment import CodingEnvironment
from openenv.testing import EnvironmentContract

PROGRAMS = [
    *("x = 1", "print(x)", "import random; print(random.random())", "1 / 0"),
    *("def f(n): return n\nprint(f(3))", "raise ValueError"),
]


class Executors(EnvironmentContract):
    __test__ = False
    environment = CodingEnvironment
    longest = 6

    def legal(self, observation: dict[str, Any]) -> list[dict[str, Any]]:
        return [{"code": program} for program in PROGRAMS]


class TestSmolagents(Executors):
    __test__ = True
    reset_options = {"executor": "smolagents"}


class TestCPython(Executors):
    __test__ = True
    reset_options = {"executor": "cpython"}

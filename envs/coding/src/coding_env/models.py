"""What an agent and a Python interpreter tell each other."""

from __future__ import annotations

from typing import Any

from pydantic import Field, PrivateAttr

from openenv import Action, Observation, State


class CodeAction(Action):
    """Run code."""

    code: str = Field(description="Python source: one statement or many lines")


class CodeObservation(Observation):
    """What the code wrote, and how it ended.

    `metadata` holds what applies: after a reset `protection` (what walls stand, and what is not enforced) and `task`; after
    a step `rewards` (the parts of the reward), `tests` (`passed` and `total`), and where a limit ended the interpreter
    `limit` (which) and `context_lost`.
    """

    stdout: str = Field(default="", description="What the code wrote to standard output, cut where it is too long")
    stderr: str = Field(default="", description="What it wrote to standard error; a traceback where it failed")
    exit_code: int = Field(
        default=0,
        description="0: ran to its end; 1: an exception; else what sys.exit gave, 124 for a limit, 128 + n for signal n",
    )

    _code: str = PrivateAttr(default="")

    @property
    def code(self) -> str:
        """The code that this answers, for transforms in the server; it does not travel."""
        return self._code

    def answering(self, code: str) -> CodeObservation:
        """Note the code that this answers, and return this."""
        self._code = code
        return self


class CodeState(State):
    """Where an episode stands."""

    last_exit_code: int = Field(default=0, description="The last step's exit code; 0 before the first")
    executor: str = Field(default="smolagents", description="smolagents or cpython")
    context_lost: bool = Field(default=False, description="Whether the variables of an earlier step are gone: a limit was hit")
    task: str | None = Field(default=None, description="Name of the episode's task; None without one")
    tests_passed: int = Field(default=0, ge=0, description="Most tests that a step of this episode has passed")
    tests_total: int = Field(default=0, ge=0, description="Tests of the task")
    protection: dict[str, Any] = Field(default_factory=dict, description="What is enforced on the interpreter, and what is not")

"""Tasks with hidden tests. What is expected never leaves the server's own process."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator


class CallTest(BaseModel):
    """A function of the agent's is called, and what it returns is compared."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["call"] = "call"
    function: str = Field(description="Name of the function")
    args: list[Any] = Field(default_factory=list, description="Its arguments, as plain data")
    kwargs: dict[str, Any] = Field(default_factory=dict, description="Its named arguments")
    expected: Any = Field(default=None, description="What it must return, as plain data; a returned tuple counts as a list")
    unordered: bool = Field(
        default=False, strict=True, description="Whether the list may come in any order, and as a set; its members keep theirs"
    )
    raises: str | None = Field(
        default=None,
        description="Name of the exception it must raise instead of returning, or of one that this is a kind of: "
        "a built-in's name means the built-in one",
    )
    tolerance: float = Field(
        default=0.0,
        ge=0,
        strict=True,
        allow_inf_nan=False,
        description="How far a number may be off, absolutely or relatively",
    )

    @model_validator(mode="after")
    def _expects_one_thing(self) -> CallTest:
        if self.raises is not None and self.expected is not None:
            raise ValueError("a test expects a value or an exception, not both: leave out `expected` or `raises`")
        if self.unordered and not isinstance(self.expected, list | tuple | set | frozenset):
            raise ValueError("only a list can be `unordered`: leave it out, or expect one")
        return self


class ProgramTest(BaseModel):
    """The last step's code is run as a program, and what it prints is compared, less white space at the ends of lines."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["program"] = "program"
    stdin: str = Field(default="", description="What the program reads")
    stdout: str = Field(description="What it must print")


class CodeTask(BaseModel):
    """Something to program, with the tests that decide whether it was done.

    An episode with a task ends when every test passes, or after `max_steps`.
    """

    model_config = ConfigDict(extra="forbid")

    name: str = Field(default="task", description="Name of the task, as the state shows it")
    prompt: str = Field(default="", description="What the agent is told")
    setup: str = Field(default="", description="Code that runs before the agent's, here and in grading")
    tests: list[Annotated[CallTest | ProgramTest, Field(discriminator="kind")]] = Field(min_length=1, max_length=1000)
    max_steps: int = Field(default=10, ge=1, strict=True, description="Steps after which the episode is cut off")

    @model_validator(mode="before")
    @classmethod
    def _say_kinds(cls, given: Any) -> Any:
        """Let tests leave out `kind`: one that names a function is a call."""
        if not isinstance(given, dict) or not isinstance(given.get("tests"), list):
            return given
        return {**given, "tests": [_with_kind(test) for test in given["tests"]]}


def _with_kind(test: Any) -> Any:
    if not isinstance(test, dict) or "kind" in test:
        return test
    return {**test, "kind": "call" if "function" in test else "program"}

"""What building an image prints: all of it in a file, and of a step that fails what matters."""

from __future__ import annotations

import re
import tempfile
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from ..errors import PublishError

SHOWN_LINES = 8
SHOWN_CHARACTERS = 200

CLASSIC_STEP = re.compile(r"Step (?P<number>\d+/\d+) : (?P<words>.+)", re.IGNORECASE)
CLASSIC_NOISE = re.compile(r" ---> |Removing intermediate |Sending build context |DEPRECATED: |\s+Install the buildx ")
BUILDKIT_LINE = re.compile(r"#(?P<step>\d+) (?:(?P<seconds>\d+\.\d+) )?(?P<words>.*)")
BUILDKIT_TITLE = re.compile(r"\[(?:[^\]]*?(?P<number>\d+/\d+)|internal)\] (?P<words>.+)")
BUILDKIT_FAILED = re.compile(r"ERROR: (?P<why>.+)")
COMPLAINT = re.compile(r"(?:error|failed|unable)\b", re.IGNORECASE)
EXIT_CODE = re.compile(r"returned a non-zero code: (\d+)|exit code: (\d+)|exit status (\d+)")


@dataclass
class BuildStep:
    """One step of a build.

    Attributes:
        number: `3/9`; empty where its builder gives it none.
        words: what it does, `RUN pip install …`.
        lines: the last that it printed.
        why: what its builder says that went wrong.
    """

    number: str
    words: str
    lines: deque[str] = field(default_factory=lambda: deque(maxlen=SHOWN_LINES + 1))
    why: str = ""

    @property
    def exit_code(self) -> int | None:
        """What its command ended with, or None where no command failed."""
        found = EXIT_CODE.search(self.why)
        return int(found[found.lastindex or 0]) if found else None

    def shown(self) -> tuple[str, ...]:
        """Return what it was and the last that it said, in lines of a bearable length."""
        title = f"step {self.number}: {self.words}" if self.number else self.words
        said = [*self.lines] if self.exit_code is not None else [*self.lines, self.why]
        said = said[-SHOWN_LINES:]
        return tuple(_shortened(line) for line in [title, *(f"  {line}" for line in said if line.strip())])


class BuildLog:
    """Listens to `docker build`, by either builder; a context manager that leaves its file behind where the build failed.

    Args:
        begins: called with each step as it begins.

    Attributes:
        path: the file with every line.
    """

    def __init__(self, begins: Callable[[str], None] = lambda told: None) -> None:
        self._begins = begins
        self._steps: dict[str, BuildStep] = {}
        self._latest: BuildStep | None = None
        self._failed: BuildStep | None = None
        self._last = ""
        self._file = tempfile.NamedTemporaryFile(  # noqa: SIM115 — closed by __exit__
            "w", prefix="openenv-build-", suffix=".log", encoding="utf-8", delete=False
        )
        self.path = Path(self._file.name)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._file.close()
        if kind is None or not issubclass(kind, PublishError):
            self.path.unlink()

    def heard(self, line: str) -> None:
        """Take a line, as plain text."""
        self._file.write(f"{line}\n")
        if COMPLAINT.match(line) or not COMPLAINT.match(self._last):
            self._last = line
        if found := BUILDKIT_LINE.fullmatch(line):
            self._of_buildkit(found)
        elif found := CLASSIC_STEP.fullmatch(line):
            self._latest = BuildStep(found["number"], found["words"])
            self._begins(line)
        elif self._latest is not None and not CLASSIC_NOISE.match(line):
            self._latest.lines.append(line)

    def failed(self) -> BuildStep:
        """Return the step that failed, as far as the builder says which."""
        if self._failed is not None:
            return self._failed
        if self._latest is not None:
            self._latest.why = self._latest.lines.pop() if self._latest.lines else ""
            return self._latest
        return BuildStep("", self._last)

    def _of_buildkit(self, found: re.Match[str]) -> None:
        number, words = found["step"], found["words"]
        step = self._steps.get(number)
        if step is None:
            if title := BUILDKIT_TITLE.fullmatch(words):
                self._steps[number] = BuildStep(title["number"] or "", title["words"])
                if title["number"]:
                    self._begins(words)
        elif found["seconds"]:
            step.lines.append(words)
        elif failed := BUILDKIT_FAILED.match(words):
            step.why = failed["why"]
            self._failed = step


def _shortened(line: str) -> str:
    return line if len(line) <= SHOWN_CHARACTERS else f"{line[: SHOWN_CHARACTERS - 1]}…"

"""Tracebacks that show an agent its own lines, and nothing of where the server keeps its files."""

from __future__ import annotations

import sysconfig
import traceback
from pathlib import Path
from typing import TextIO

HERE = str(Path(__file__).parent)
PREFIXES = {sysconfig.get_path(name): f"<{shown}>" for name, shown in (("stdlib", "python"), ("platstdlib", "python"))}
"""Folders of Python's own modules, and what is shown for them."""


def name_folders(folders: list[str]) -> None:
    """Show these folders, of installed packages, as `<packages>`."""
    PREFIXES.update(dict.fromkeys(folders, "<packages>"))


def write(error: BaseException, stream: TextIO) -> None:
    """Write an error with its traceback, from the first line of the agent's on."""
    try:
        text = "".join(_told(error))
    except BaseException:
        text = f"{type(error).__name__}\n"
    stream.write(text)


def _told(error: BaseException) -> list[str]:
    told = traceback.TracebackException.from_exception(error, compact=True)
    pending: list[traceback.TracebackException | None] = [told]
    while pending:
        one = pending.pop()
        if one is None:
            continue
        one.stack[:] = [frame for frame in one.stack if not frame.filename.startswith(HERE)]
        for frame in one.stack:
            frame.filename = shown(frame.filename)
        pending += [one.__cause__, one.__context__, *(getattr(one, "exceptions", None) or [])]
    return list(told.format())


def shown(filename: str) -> str:
    """Return a file's name as an agent sees it."""
    for prefix in sorted(PREFIXES, key=len, reverse=True):
        if filename.startswith(prefix + "/"):
            return PREFIXES[prefix] + filename[len(prefix) :]
    return filename

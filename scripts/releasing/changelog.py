"""Changelogs: fragments, one a change, which towncrier collects at a release."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from .refusal import Failure, Refusal

FOLDER = "changelog.d"
CONFIGURATION = Path(__file__).parent / "towncrier.toml"

_NAME = re.compile(r"[A-Za-z0-9][\w-]*\.(?:added|changed|fixed)\.md")
_SECTION = re.compile(r"^## ", re.MULTILINE)
_UNRELEASED = re.compile(r"\A## \S+ \(not yet released\)\n")


def fragments(folder: Path) -> list[Path]:
    """Return a package's fragments.

    Raises:
        Refusal: one has another name than `<slug>.added.md`, `.changed.md` or `.fixed.md`, or is not one line of text.
    """
    found = sorted(path for path in (folder / FOLDER).glob("*") if not path.name.startswith("."))
    for path in found:
        if not _NAME.fullmatch(path.name):
            raise Refusal(f"{path} is no fragment: name it <slug>.added.md, <slug>.changed.md or <slug>.fixed.md")
        lines = path.read_text(encoding="utf-8").strip().splitlines()
        if len(lines) != 1 or lines[0].startswith(("- ", "* ", "#")):
            raise Refusal(f"{path} is not one line of text, without a dash before it")
    return found


def has_unreleased(changelog: str) -> bool:
    """Return whether a changelog begins with a section that is marked as not yet released."""
    return _UNRELEASED.match(_split(changelog)[1]) is not None


def with_release(folder: Path, changelog: str, version: str, day: str) -> str:
    """Return a changelog with the section of a release, made of the fragments.

    A first section that is marked as not yet released, as a new package has, becomes the beginning of that section.

    Raises:
        Failure: towncrier does not work.
    """
    above, below = _split(changelog)
    title = f"## {version} ({day})"
    parts = [title]
    if _UNRELEASED.match(below):
        end = _SECTION.search(below, 3)
        written, below = (below[: end.start()], below[end.start() :]) if end else (below, "")
        parts.append(_UNRELEASED.sub("", written).strip())
    if fragments(folder):
        parts.append(_rendered(folder, version, day).removeprefix(title).strip())
    section = "\n\n".join(part for part in parts if part)
    return f"{above}{section}\n" + (f"\n{below}" if below else "")


def _split(changelog: str) -> tuple[str, str]:
    """Return what stands above the first section, and the rest."""
    first = _SECTION.search(changelog)
    return (changelog[: first.start()], changelog[first.start() :]) if first else (f"{changelog.rstrip()}\n\n", "")


def _rendered(folder: Path, version: str, day: str) -> str:
    command = [sys.executable, "-m", "towncrier", "build", "--draft", "--config", str(CONFIGURATION), "--dir", str(folder)]
    done = subprocess.run([*command, "--version", version, "--date", day], capture_output=True, text=True)
    if done.returncode:
        raise Failure(f"towncrier failed: {' '.join(done.stderr.split())}")
    return done.stdout.strip()

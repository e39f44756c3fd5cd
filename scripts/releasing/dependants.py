"""The ranges in which other packages and templates ask for a package."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from .packages import CORE, Package, packages

TEMPLATES = f"{CORE}/src/openenv/hub/templates"

_QUOTED = re.compile(r'"([^"\n]+)"|\'([^\'\n]+)\'')
_PARTS = re.compile(r"([\w.-]+\s*(?:\[[^\]]*\])?\s*)([^;]*?)(\s*;.*)?")


@dataclass(frozen=True)
class Range:
    """A requirement that a version does not fit.

    Attributes:
        path: the file that it stands in.
        requirement: as written there.
    """

    path: Path
    requirement: str


def unfitting(root: Path, wanted: Package, version: Version) -> list[Range]:
    """Return the ranges of the checkout that leave a version of a package out."""
    texts = [each.folder / "pyproject.toml" for each in packages(root) if each != wanted]
    texts += sorted(path for path in (root / TEMPLATES).rglob("*") if path.is_file())
    return [Range(path, found) for path in texts for found in _asked(path, wanted) if not _fits(found, version)]


def compatible(version: Version) -> str:
    """Return the range of what should work like a version: `>=0.5,<0.6`, and from 1.0 on `>=1.2,<2`."""
    lowest = str(version) if version.is_prerelease else f"{version.major}.{version.minor}"
    return f">={lowest},<{f'0.{version.minor + 1}' if version.major == 0 else version.major + 1}"


def mended(text: str, requirement: str, version: Version) -> str:
    """Return a file's text with `compatible` of a version in the place of a requirement's range."""
    parts = _PARTS.fullmatch(requirement)
    assert parts is not None
    new = f"{parts[1]}{compatible(version)}{parts[3] or ''}"
    return text.replace(f'"{requirement}"', f'"{new}"').replace(f"'{requirement}'", f"'{new}'")


def _asked(path: Path, wanted: Package) -> Iterator[str]:
    """Yield the quoted requirements of a package in a file, each once."""
    quoted = (double or single for double, single in _QUOTED.findall(path.read_text(encoding="utf-8")))
    for found in dict.fromkeys(quoted):
        try:
            requirement = Requirement(found)
        except InvalidRequirement:
            continue
        if canonicalize_name(requirement.name) == canonicalize_name(wanted.distribution):
            yield found


def _fits(requirement: str, version: Version) -> bool:
    return Requirement(requirement).specifier.contains(version, prereleases=True)

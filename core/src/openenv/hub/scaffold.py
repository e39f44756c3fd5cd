"""New environments, made from the templates beside this file."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator, Mapping
from datetime import date
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from ..errors import UsageError
from ..version import __version__
from .names import EnvironmentName, environment_name

TEMPLATES = {
    "game": "a small game with a seed, an end, a reward, a picture and an action that is refused",
    "tools": "tools that an agent calls by name, over MCP too, in an episode with an end and a reward",
}
"""What an environment can begin as."""

TEST_EXTRAS = {"game": ("testing",), "tools": ("mcp", "testing")}
"""Extras of this package that an environment's tests need."""

SHARED = "shared"
"""The folder of files that every template has."""

SUFFIX = ".tmpl"
_PLACE = re.compile(r"\{\{(\w+)\}\}")


def scaffold(name: str, parent: Path, template: str = "game") -> Path:
    """Write a new environment's folder and return its path: `parent/my_game`, whole or not at all.

    Args:
        name: what the environment is called: see `environment_name`.
        parent: the folder to write into; made where there is none.
        template: one of `TEMPLATES`.

    Raises:
        UsageError: the name is no name, there is no such template, the folder exists already, or cannot be written.
    """
    if template not in TEMPLATES:
        known = "; ".join(f"{name}: {what}" for name, what in TEMPLATES.items())
        raise UsageError(f"there is no template {template!r}. There are {known}")
    names = environment_name(name)
    further = {"tests": requirements(core_requirement(*TEST_EXTRAS[template]))}
    return write(template, names, free_folder(names, parent), further)


def free_folder(names: EnvironmentName, parent: Path) -> Path:
    """Return where an environment's folder goes. Raises `UsageError` where something is there already."""
    target = parent / names.slug
    if target.exists() or target.is_symlink():
        raise UsageError(f"{target} exists already: choose another name, or another folder by --output-dir")
    return target


def write(template: str, names: EnvironmentName, target: Path, further: Mapping[str, str]) -> Path:
    """Write a template's files and return their folder, whole or not at all.

    Args:
        template: a folder beside this file.
        names: what stands for the names in it.
        target: the folder to write.
        further: what stands in the places that this template alone has.

    Raises:
        UsageError: the folder cannot be written.
    """
    places = {**_places(names), **further}
    contents = {_filled(path, places): _filled(text, places) for path, text in _files(template)}
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".openenv-init-") as unfinished:
            folder = Path(unfinished) / names.slug
            for path, content in contents.items():
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                (folder / path).write_text(content, encoding="utf-8", newline="\n")
            folder.rename(target)
    except OSError as error:
        raise UsageError(f"cannot write {target}: {error.strerror}") from None
    return target


def core_requirement(*extras: str) -> str:
    """Return the requirement of this package, in the versions that what is written now works with."""
    major, minor = __version__.split(".")[:2]
    wanted = f"[{','.join(extras)}]" if extras else ""
    return f"openenv-core{wanted}>={major}.{minor},<{_after(major, minor)}"


def requirements(*needed: str) -> str:
    """Return requirements as `pyproject.toml` lists them."""
    return json.dumps(needed)


def _places(names: EnvironmentName) -> dict[str, str]:
    return {
        **names._asdict(),
        "requires": requirements(core_requirement()),
        "serves": requirements(),
        "tests": requirements(core_requirement("testing")),
        "year": str(date.today().year),
    }


def _after(major: str, minor: str) -> str:
    """Return the first version that may break what was written for this one: before 1.0 the next minor one."""
    return f"0.{int(minor) + 1}" if major == "0" else str(int(major) + 1)


def _files(template: str) -> Iterator[tuple[str, str]]:
    root = files(__package__) / "templates"
    for folder in (SHARED, template):
        yield from _below(root / folder, "")


def _below(folder: Traversable, path: str) -> Iterator[tuple[str, str]]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _below(entry, f"{path}{entry.name}/")
        elif entry.name.endswith(SUFFIX):
            yield path + entry.name.removesuffix(SUFFIX), entry.read_text(encoding="utf-8")


def _filled(text: str, places: Mapping[str, str]) -> str:
    return _PLACE.sub(lambda place: places[place[1]], text)

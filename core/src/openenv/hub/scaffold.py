"""New environments, made from the templates beside this file."""

from __future__ import annotations

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

TEMPLATES = ("game",)
"""`game`: a small game with a seed, an end, a reward, a picture and an action that is refused."""

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
        raise UsageError(f"there is no template {template!r}: choose {', '.join(TEMPLATES)}")
    names = environment_name(name)
    target = parent / names.slug
    if target.exists() or target.is_symlink():
        raise UsageError(f"{target} exists already: choose another name, or another folder by --output-dir")
    places = _places(names)
    contents = {_filled(path, places): _filled(text, places) for path, text in _files(template)}
    try:
        parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=parent, prefix=".openenv-init-") as unfinished:
            folder = Path(unfinished) / names.slug
            for path, content in contents.items():
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                (folder / path).write_text(content, encoding="utf-8", newline="\n")
            folder.rename(target)
    except OSError as error:
        raise UsageError(f"cannot write {target}: {error.strerror}") from None
    return target


def _places(names: EnvironmentName) -> dict[str, str]:
    major, minor = __version__.split(".")[:2]
    return {**names._asdict(), "core": f">={major}.{minor},<{_after(major, minor)}", "year": str(date.today().year)}


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

"""The front matter of a Space's README: what the Hub builds and shows it by."""

from __future__ import annotations

import re
from typing import Any

import yaml

from ..errors import UsageError

PLAYGROUND_PATH = "/web"
_FRONT = re.compile(r"\A---[ \t]*\r?\n(.*?)^---[ \t]*(?:\r?\n|\Z)", re.DOTALL | re.MULTILINE)
_BASE_PATH = re.compile(r"^base_path[ \t]*:.*\n?", re.MULTILINE)


def front_matter(readme: str) -> dict[str, Any] | None:
    """Return the front matter of a README, or None where it has none.

    Raises:
        UsageError: it is not YAML, or holds no names and values.
    """
    written, _ = _divided(readme)
    if written is None:
        return None
    try:
        told = yaml.safe_load(written) or {}
    except yaml.YAMLError as error:
        raise UsageError(f"README.md has a front matter that is not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(told, dict):
        raise UsageError("README.md has a front matter without names and values, such as 'sdk: docker'")
    return told


def space_readme(readme: str, title: str, port: int, interface: bool | None = None) -> str:
    """Return a README whose front matter makes a Docker Space: what is missing is added, what is there stays.

    Args:
        readme: with or without front matter.
        title: of the Space, where the front matter has none.
        port: the one that the server listens at.
        interface: whether the Space opens the playground; None leaves that as it is.

    Raises:
        UsageError: the front matter cannot be read, is of another kind of Space, or names another port.
    """
    told = front_matter(readme) or {}
    wanted = {"title": title, "sdk": "docker", "app_port": port, "tags": ["openenv"]}
    for name in ("sdk", "app_port"):
        if told.get(name, wanted[name]) != wanted[name]:
            raise UsageError(f"README.md says '{name}: {told[name]}' and a Space of this folder needs '{name}: {wanted[name]}'")
    written, body = _divided(readme)
    lines = written or ""
    if interface is False or (interface and told.get("base_path") != PLAYGROUND_PATH):
        lines = _BASE_PATH.sub("", lines)
    if interface:
        wanted["base_path"] = PLAYGROUND_PATH
    there = yaml.safe_load(lines) or {}
    lines += "".join(f"{name}: {_value(value)}\n" for name, value in wanted.items() if name not in there)
    return readme if lines == written else f"---\n{lines}---\n{body}"


def _divided(readme: str) -> tuple[str | None, str]:
    """Return the lines of the front matter, None where there is none, and the rest."""
    found = _FRONT.match(readme)
    return (None, f"\n{readme}") if found is None else (found[1], readme[found.end() :])


def _value(value: Any) -> str:
    return str(yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=10_000)).removesuffix("\n...\n").strip()

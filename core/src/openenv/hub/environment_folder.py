"""An environment's folder, in either layout, as those need it who build or publish it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import UsageError
from .manifest import MANIFEST, manifest_of
from .names import EnvironmentName, environment_name

DEFAULT_PORT = 8000
DOCKERFILES = ("Dockerfile", "server/Dockerfile")
"""Where a Dockerfile lies: in the folder itself or, in the flat layout, beside the server. Either is built from the folder."""


@dataclass(frozen=True)
class EnvironmentFolder:
    """A folder with a manifest and a Dockerfile.

    Attributes:
        root: the folder, absolute.
        called: the name in the manifest.
        name: what is made from that.
        port: the one that the server listens at.
        dockerfile: its Dockerfile, absolute.
        variables: of the server's environment, as the manifest has them for a Space.
    """

    root: Path
    called: str
    name: EnvironmentName
    port: int
    dockerfile: Path
    variables: dict[str, str]

    @property
    def image(self) -> str:
        """The name of its image, `my_game-env:latest`."""
        return f"{self.name.slug}-env:latest"

    @property
    def repo_name(self) -> str:
        """The name of its Space: the one in the manifest, `my_game`."""
        return re.sub(r"\s+", "-", self.called.strip())


def environment_folder(path: Path, dockerfile: Path | None = None) -> EnvironmentFolder:
    """Read an environment's folder.

    Args:
        path: the folder.
        dockerfile: another than its own; a relative one is looked for in the folder, then where the program runs.

    Raises:
        UsageError: there is no such folder, its manifest cannot be read or names no environment, or there is no Dockerfile.
    """
    root = path.resolve()
    if not root.is_dir():
        raise UsageError(f"{path} is no folder")
    if not (root / MANIFEST).is_file():
        raise UsageError(f"{path} is no environment's folder: it has no {MANIFEST}; openenv init my_game writes a whole one")
    told = manifest_of(root)
    name, port = told.get("name"), told.get("port", DEFAULT_PORT)
    if not isinstance(name, str):
        raise UsageError(f"{root / MANIFEST} needs the environment's name, such as 'name: my_game'")
    if not isinstance(port, int) or not 0 < port < 65536:
        raise UsageError(f"{root / MANIFEST} needs the port that the server listens at, such as 'port: {DEFAULT_PORT}'")
    own = _dockerfile(root, dockerfile)
    return EnvironmentFolder(root, name, environment_name(name), port, own, _variables(told.get("variables") or {}))


def _variables(told: Any) -> dict[str, str]:
    if not isinstance(told, dict) or not all(isinstance(value, str | int | float) for value in told.values()):
        raise UsageError(f"{MANIFEST} needs names and values as its variables, such as 'variables: {{LEVEL: 3}}'")
    return {str(name): str(value).lower() if isinstance(value, bool) else str(value) for name, value in told.items()}


def _dockerfile(root: Path, given: Path | None) -> Path:
    if given is not None:
        for place in (root / given, given):
            if place.is_file():
                return place.resolve()
        raise UsageError(f"there is no Dockerfile {given}, neither in {root} nor here")
    for name in DOCKERFILES:
        if (root / name).is_file():
            return root / name
    raise UsageError(f"{root} has no Dockerfile, neither {' nor '.join(DOCKERFILES)}: openenv init my_game writes one to copy")

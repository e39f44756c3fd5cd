"""The packages of the checkout, found by folder."""

from __future__ import annotations

import argparse
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from .refusal import Refusal, run

CORE = "core"
ENVIRONMENTS = "envs"
FAMILY = "openenv-"
"""What the distributions' names begin with."""

_VERSION = re.compile(r"""^__version__ = (["'])(?P<version>[^"']+)\1$""", re.MULTILINE)


@dataclass(frozen=True)
class Package:
    """A folder that a distribution is built from.

    Attributes:
        folder: `core`, or one below `envs`.
        distribution: its name at the index, `openenv-echo-env`.
        version_file: the file that states its version.
    """

    folder: Path
    distribution: str
    version_file: Path

    @property
    def name(self) -> str:
        """What the scripts call it: its folder's name."""
        return self.folder.name

    @property
    def label(self) -> str:
        """What its tags begin with: `core`, `echo-env`."""
        return self.distribution.removeprefix(FAMILY)

    @property
    def version(self) -> str:
        """As it stands in the folder. Raises `Refusal` where none does."""
        return self._stated()["version"]

    def tag(self, version: str) -> str:
        """Return the tag of a version: `echo-env-v1.2.0`."""
        return f"{self.label}-v{version}"

    def with_version(self, version: str) -> str:
        """Return the version file's text for another version."""
        stated = self._stated()
        return f"{stated.string[: stated.start('version')]}{version}{stated.string[stated.end('version') :]}"

    def _stated(self) -> re.Match[str]:
        stated = _VERSION.search(self.version_file.read_text(encoding="utf-8")) if self.version_file.is_file() else None
        if stated is None:
            raise Refusal(f'{self.version_file} states no version: it needs a line like __version__ = "0.1.0"')
        return stated


def packages(root: Path) -> list[Package]:
    """Return core, then the environments by name: every folder below `envs` that has a `pyproject.toml`.

    Raises:
        Refusal: a `pyproject.toml` cannot be read, or does not say the name or where the version is.
    """
    return [_read(root / CORE), *(_read(path.parent) for path in sorted((root / ENVIRONMENTS).glob("*/pyproject.toml")))]


def environments(root: Path) -> list[Package]:
    """Return the packages that are environments; raises as `packages` does."""
    return packages(root)[1:]


def package(root: Path, name: str) -> Package:
    """Return the package that a folder's name or path names: `core`, `echo`, `envs/echo`.

    Raises:
        Refusal: there is none; or as `packages` does.
    """
    found = {each.name: each for each in packages(root)}
    if Path(name).name not in found:
        raise Refusal(f"there is no package {name!r}: choose {', '.join(found)}")
    return found[Path(name).name]


def _read(folder: Path) -> Package:
    path = folder / "pyproject.toml"
    try:
        told = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise Refusal(f"cannot read {path}: {error}") from None
    try:
        return Package(folder, told["project"]["name"], folder / told["tool"]["hatch"]["version"]["path"])
    except KeyError as missing:
        raise Refusal(f"{path} lacks {missing}: it needs [project] name and [tool.hatch.version] path") from None


def main() -> None:
    """Print the name of a package's distribution."""
    parser = argparse.ArgumentParser(prog="packages", description="Print the name of a package's distribution.")
    parser.add_argument("package", help="core, or a folder below envs")
    print(package(Path.cwd(), parser.parse_args().package).distribution)


if __name__ == "__main__":
    run("packages", main)

"""Rules for an environment's folder, which can be checked without running anything in it."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import yaml
from packaging.requirements import InvalidRequirement, Requirement

from ..hub.manifest import MANIFEST
from ..version import __version__
from .dockerfile import faults
from .verdict import ContractBroken, DoesNotApply, Finding, Verdict

OURS = "openenv-core"


class Advice(Exception):
    """What should be mended and breaks nothing."""


def examine_folder(folder: Path) -> Iterator[Finding]:
    """Hold an environment's folder against the rules for folders, in either layout, and yield what became of each."""
    for rule in (manifest, project, layout, dependencies, dockerfile):
        yield _held(rule, folder)


def _held(rule: Callable[[Path], None], folder: Path) -> Finding:
    try:
        rule(folder)
    except ContractBroken as error:
        return Finding(rule.__name__, Verdict.BROKEN, str(error))
    except Advice as advice:
        return Finding(rule.__name__, Verdict.WARNING, str(advice))
    except DoesNotApply as reason:
        return Finding(rule.__name__, Verdict.SKIPPED, str(reason))
    return Finding(rule.__name__, Verdict.KEPT)


def manifest(folder: Path) -> None:
    """`openenv.yaml` names the environment, its app and its port."""
    told = _manifest(folder)
    if told.get("spec_version") != 1:
        raise ContractBroken(f"{MANIFEST} needs the line 'spec_version: 1'")
    if not isinstance(told.get("name"), str) or not told["name"]:
        raise ContractBroken(f"{MANIFEST} needs the environment's name, such as 'name: {folder.resolve().name}'")
    _app(told)
    port = told.get("port")
    if not isinstance(port, int) or not 0 < port < 65536:
        raise ContractBroken(f"{MANIFEST} needs the port that the server listens at, such as 'port: 8000'")


def project(folder: Path) -> None:
    """`pyproject.toml` makes the folder a distribution that depends on this one."""
    told = _project(folder)
    table = told.get("project", {})
    if "name" not in table:
        raise ContractBroken("pyproject.toml needs [project] with a name")
    if "version" not in table and "version" not in table.get("dynamic", ()):
        raise ContractBroken("pyproject.toml needs a version, or dynamic = ['version']")
    if not any(requirement.name.replace("_", "-").lower() in (OURS, "openenv") for requirement in _requirements(told)):
        raise ContractBroken(f"pyproject.toml needs {OURS} among its dependencies")
    if "requires-python" not in table:
        raise Advice("pyproject.toml should say its requires-python")


def layout(folder: Path) -> None:
    """The module of the app is where the manifest says, and the package beside it."""
    module = _app(_manifest(folder)).partition(":")[0]
    parts = module.split(".")
    roots = [folder / "src", folder]
    places = [root.joinpath(*parts) for root in roots] + [folder.joinpath(*parts[1:])]
    if not any(place.with_suffix(".py").is_file() or (place / "__init__.py").is_file() for place in places):
        raise ContractBroken(f"{MANIFEST} names {module}, and there is no such module under {folder} or {folder / 'src'}")
    missing = [name for name in ("README.md", "LICENSE") if not (folder / name).is_file()]
    if missing:
        raise Advice(f"{' and '.join(missing)} should be there for those who find the package")


def dependencies(folder: Path) -> None:
    """What the environment and its server depend on is installed here, in versions that it takes."""
    wrong = [told for requirement in _requirements(_project(folder)) if (told := _unmet(requirement))]
    if wrong:
        raise ContractBroken(f"not installed as needed: {', '.join(wrong)}; pip install '{folder}[server]'")


def dockerfile(folder: Path) -> None:
    """The Dockerfile says when the server is healthy, runs it as a user of its own, and lets it hear signals."""
    place = next((place for place in (folder / "Dockerfile", folder / "server" / "Dockerfile") if place.is_file()), None)
    if place is None:
        raise Advice("there is no Dockerfile, so no image can be built")
    found = faults(place.read_text(encoding="utf-8"))
    if found:
        raise Advice(f"{place.relative_to(folder)}: {'; '.join(found)}")


def _manifest(folder: Path) -> dict[str, Any]:
    try:
        told = yaml.safe_load((folder / MANIFEST).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ContractBroken(f"there is no {MANIFEST}") from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ContractBroken(f"{MANIFEST} cannot be read: {' '.join(str(error).split())}") from None
    if not isinstance(told, dict):
        raise ContractBroken(f"{MANIFEST} must hold names and values, such as 'port: 8000'")
    return told


def _app(told: dict[str, Any]) -> str:
    app = told.get("app")
    if not isinstance(app, str) or not all(app.partition(":")):
        raise ContractBroken(f"{MANIFEST} needs the app, such as 'app: server.app:app'")
    return app


def _project(folder: Path) -> dict[str, Any]:
    try:
        return tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ContractBroken("there is no pyproject.toml, so it cannot be installed") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ContractBroken(f"pyproject.toml cannot be read: {error}") from None


def _requirements(told: dict[str, Any]) -> list[Requirement]:
    """Return what a project depends on, its server's extra included."""
    table = told.get("project", {})
    written = [*table.get("dependencies", ()), *table.get("optional-dependencies", {}).get("server", ())]
    try:
        return [Requirement(line) for line in written]
    except InvalidRequirement as error:
        raise ContractBroken(f"pyproject.toml has a dependency that cannot be read: {error}") from None


def _unmet(requirement: Requirement) -> str | None:
    """Say what is wrong with what is installed here, or None where nothing is."""
    if requirement.marker is not None and not requirement.marker.evaluate():
        return None
    try:
        installed = __version__ if requirement.name.replace("_", "-").lower() == OURS else version(requirement.name)
    except PackageNotFoundError:
        return str(requirement)
    return None if requirement.specifier.contains(installed, prereleases=True) else f"{requirement} (here is {installed})"

"""`openenv doctor`: what this machine has and lacks."""

from __future__ import annotations

import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution, requires
from pathlib import Path
from typing import Annotated, NamedTuple

import typer
from packaging.requirements import Requirement
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..errors import LaunchError
from ..version import __version__
from .exits import FAILED

OURS, PUBLISHED = "openenv-core", "openenv"
DOCKER_ANSWERS_WITHIN_S = 10.0
COLOURS = {"good": "green", "missing": "yellow", "broken": "bold red"}


class Sign(NamedTuple):
    """One thing that was looked at: what it is, how it is (`good`, `missing`, `broken`), and what to know or do."""

    what: str
    how: str
    told: str


def doctor(
    port: Annotated[int, typer.Option("--port", "-p", min=1, max=65535, help="The port that a server is to have.")] = 8000,
) -> None:
    """Tell what is installed, what is missing and what is broken, each with the command that mends it.

    Exit code 0: nothing is broken; what is missing is only needed for some things. 1: something is broken.
    """
    with Console(stderr=True).status("looking"):
        signs = [_python(), _core(), _overwritten(), _port(port), _docker(), *_extras()]
    table = Table("", "", "", show_header=False, box=None, pad_edge=False)
    for sign in signs:
        table.add_row(Text(sign.what), Text(sign.how, COLOURS[sign.how]), Text(sign.told, overflow="fold"))
    Console().print(table)
    if any(sign.how == "broken" for sign in signs):
        raise typer.Exit(FAILED)


def _python() -> Sign:
    return Sign("python", "good", f"{platform.python_version()}, {sys.executable}")


def _core() -> Sign:
    place = Path(__file__).parents[1]
    try:
        found = distribution(OURS).version
    except PackageNotFoundError:
        return Sign(OURS, "good", f"{__version__}, not installed but run from {place}")
    if found != __version__:
        told = f"{found} is installed, and {__version__} is imported from {place}: pip install --force-reinstall {OURS}"
        return Sign(OURS, "broken", told)
    return Sign(OURS, "good", f"{__version__}, {place}")


def _overwritten() -> Sign:
    """Both distributions bring a package `openenv`: files of the one installed later replace those of the other."""
    try:
        other = distribution(PUBLISHED)
    except PackageNotFoundError:
        return Sign(PUBLISHED, "good", "no other distribution brings a package of this name")
    if not _brings_package(other):
        return Sign(PUBLISHED, "good", f"{other.version} is installed and brings no package of this name")
    mend = f"{sys.executable} -m pip uninstall -y {PUBLISHED} && {sys.executable} -m pip install --force-reinstall {OURS}"
    return Sign(PUBLISHED, "broken", f"{other.version} is installed and overwrites files of {OURS}: {mend}")


def _brings_package(found: Distribution) -> bool:
    return any(file.parts[0] in ("openenv", "openenv_core") and file.suffix == ".py" for file in found.files or ())


def _port(port: int) -> Sign:
    from ..server.listening import listen

    try:
        listen("127.0.0.1", port).close()
    except LaunchError as error:
        return Sign(f"port {port}", "missing", f"{error.message}: openenv serve --port 0 takes a free one")
    return Sign(f"port {port}", "good", "free")


def _docker() -> Sign:
    command = shutil.which("docker")
    if command is None:
        return Sign(
            "docker", "missing", "no docker command on the PATH; only images need it: https://docs.docker.com/engine/install"
        )
    try:
        asked = subprocess.run(
            [command, "version", "--format", "{{.Server.Version}}"],
            capture_output=True,
            text=True,
            timeout=DOCKER_ANSWERS_WITHIN_S,
        )
    except (OSError, subprocess.TimeoutExpired):
        return Sign("docker", "missing", f"{command} did not answer within {DOCKER_ANSWERS_WITHIN_S:g} s: restart its engine")
    if asked.returncode:
        why = (asked.stderr.strip().splitlines() or ["it did not say why"])[-1]
        return Sign("docker", "missing", f"its engine cannot be reached: {why}; start it, or join the group docker")
    return Sign("docker", "good", f"engine {asked.stdout.strip()}")


def _extras() -> Iterator[Sign]:
    """Say of each extra which of its packages are missing."""
    try:
        lines = [Requirement(line) for line in requires(OURS) or ()]
    except PackageNotFoundError:
        return
    extras = sorted(set(distribution(OURS).metadata.get_all("Provides-Extra") or ()))
    for extra in extras:
        wanted = [line.name for line in lines if line.marker is not None and line.marker.evaluate({"extra": extra})]
        always = {line.name for line in lines if line.marker is None or line.marker.evaluate({"extra": ""})}
        missing = sorted(name for name in set(wanted) - always - {OURS} if not _installed(name))
        if missing:
            yield Sign(f"[{extra}]", "missing", f"no {', '.join(missing)}: pip install '{OURS}[{extra}]'")
        elif set(wanted) - always - {OURS}:
            yield Sign(f"[{extra}]", "good", ", ".join(sorted(set(wanted) - always - {OURS})))


def _installed(name: str) -> bool:
    try:
        distribution(name)
    except PackageNotFoundError:
        return False
    return True

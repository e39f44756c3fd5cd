"""Environments that are installed here, found by the entry points of their distributions."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from importlib.metadata import entry_points

from ..errors import UsageError

GROUP = "openenv.environments"
"""The group of entry points in which an environment's distribution says `echo = "echo_env"`."""

PREFIX, SUFFIX = "openenv-", "-env"


@dataclass(frozen=True)
class InstalledEnvironment:
    """One installed environment, as its distribution describes it; nothing of it has been imported.

    Attributes:
        name: the short one, `echo`.
        package: what to import, `echo_env`.
        distribution: what was installed, `openenv-echo-env`.
        version: of the distribution.
        description: the distribution's one line; empty where it has none.
    """

    name: str
    package: str
    distribution: str
    version: str
    description: str


def installed_environments() -> list[InstalledEnvironment]:
    """Return what is installed, by name. Each call looks anew, so that what was installed a moment ago is found."""
    found = {
        InstalledEnvironment(
            entry.name, entry.module, entry.dist.name, entry.dist.version, str(entry.dist.metadata.json.get("summary", ""))
        )
        for entry in entry_points(group=GROUP)
        if entry.dist is not None
    }
    return sorted(found, key=lambda environment: (environment.name, environment.distribution))


def plain_name(name: str) -> str:
    """Return the short name that a name means: `echo` for `Echo`, `echo_env`, `openenv-echo-env` and `someone/echo-env`."""
    short = name.strip().rpartition("/")[2].lower().replace("_", "-").removeprefix(PREFIX)
    return short.removesuffix(SUFFIX) or short


def installed_environment(name: str) -> InstalledEnvironment:
    """Return the installed environment of a name, in any spelling that `plain_name` knows.

    Raises:
        UsageError: none has that name, and the message says what to install; or several have.
    """
    wanted, everything = plain_name(name), installed_environments()
    found = [one for one in everything if plain_name(one.name) == wanted]
    found = found or [one for one in everything if wanted in (plain_name(one.distribution), plain_name(one.package))]
    if len(found) > 1:
        told = ", ".join(f"{one.name} of {one.distribution}" for one in found)
        raise UsageError(f"{name!r} may be any of {told}: uninstall what is not wanted, or name it exactly")
    if not found:
        raise UsageError(_missing(wanted, [one.name for one in everything]))
    return found[0]


def _missing(wanted: str, names: list[str]) -> str:
    """Say that there is no such environment, how to get it, and what there is instead."""
    spelled = {plain_name(name): name for name in names}
    near = [spelled[name] for name in difflib.get_close_matches(wanted, spelled)]
    if near:
        there = f"did you mean {' or '.join(near)}?"
    else:
        there = f"installed are {', '.join(names)}" if names else "none is installed yet"
    return f"no environment {wanted!r} is installed ({there}): pip install {PREFIX}{wanted}{SUFFIX}"

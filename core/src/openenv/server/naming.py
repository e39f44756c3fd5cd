"""What a person names to have an environment served: a folder, an installed environment, a class or an app."""

from __future__ import annotations

import inspect
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ..contract.environment import Environment
from ..errors import UsageError
from ..hub.installed import installed_environment, plain_name
from ..hub.manifest import MANIFEST
from ..sessions.spec import load
from .app import create_app
from .folder import app_of, is_folder


def name_of(target: str) -> str:
    """Return the `module:attribute` that a target stands for, with its modules importable.

    Args:
        target: an environment's folder, the name of an installed one (`echo`, with or without `-env`), or
            `module:attribute` of an app or a class.

    Raises:
        UsageError: it is none of these; the message says what to do.
    """
    if is_folder(target):
        return app_of(target)
    if Path(target).is_dir() or "/" in target or "\\" in target:
        raise UsageError(f"{target} is no environment's folder: there is no {MANIFEST} in it")
    if ":" in target:
        return target
    return f"{_package(target)}.server.app:app"


def app_named(name: str) -> Any:
    """Return the app at `module:attribute`, which may be an `Environment` class: it gets an app of its own.

    Raises:
        UsageError: as for `openenv.sessions.spec.load` and `create_app`.
    """
    found = load(name)
    if inspect.isclass(found) and issubclass(found, Environment):
        return create_app(found)
    return found


def _package(name: str) -> str:
    """Return the package of an installed environment, or of one that can be imported though nothing says that it is there."""
    package = f"{plain_name(name).replace('-', '_')}_env"
    try:
        return installed_environment(name).package
    except UsageError:
        if package.isidentifier() and find_spec(package) is not None:
            return package
        raise

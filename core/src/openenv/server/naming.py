"""What a person names to have an environment served: a folder, an installed environment, a class or an app, or an image."""

from __future__ import annotations

import inspect
import re
from importlib.machinery import PathFinder
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

_PATH = r"[a-z0-9][a-z0-9._-]*"
_HOST = r"(?:localhost|[\w-]+(?:\.[\w-]+)+|\[[0-9a-f:]+\])(?::\d+)?|[\w-]+:\d+"
_IMAGE = re.compile(
    rf"(?P<host>(?:{_HOST})/)?{_PATH}(?:/{_PATH})*(?P<tag>:\w[\w.-]{{0,127}})?(?P<digest>@sha256:[0-9a-f]{{64}})?", re.ASCII
)


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


def is_image(target: str) -> bool:
    """Return whether a target names a container image, `echo-env:latest` or `ghcr.io/me/echo-env`, and nothing of Python's.

    An image is known by its tag, its digest or the host of its registry. A path that is there is none, nor is
    `module:attribute` where the module can be imported, is inside a package, or the attribute is named as classes are.
    """
    found = _IMAGE.fullmatch(target)
    if found is None or Path(target).exists():
        return False
    module, _, attribute = target.partition(":")
    return any(found.group("host", "tag", "digest")) and not _is_attribute(module, attribute)


def _is_attribute(module: str, name: str) -> bool:
    """Return whether something may be an attribute of a module that may be had here, or where the server is started."""
    top, *below = module.split(".")
    if not all(part.isidentifier() for part in (top, *below, name)):
        return False
    if below or name[0].isupper():
        return True
    found = find_spec(top) or PathFinder.find_spec(top, [str(Path.cwd())])
    return found is not None and found.origin is not None


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

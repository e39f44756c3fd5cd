"""The app of an environment's folder, whichever of the two layouts it has."""

from __future__ import annotations

import atexit
import shutil
import sys
import tempfile
import tomllib
from pathlib import Path

from ..errors import UsageError
from ..hub.manifest import MANIFEST, manifest_of


def is_folder(name: str) -> bool:
    """Return whether a name is a folder with a manifest, rather than `module:attribute`."""
    return (Path(name) / MANIFEST).is_file()


def app_of(folder: str) -> str:
    """Make a folder's modules importable, and return its app as `module:attribute`.

    The one layout has its package under `src`. In the flat one the folder itself is the package: its modules may be imported
    relatively, by the package's name, or bare (`from models import …`), as they are when the folder is installed or run.

    Raises:
        UsageError: the manifest cannot be read, or names no app.
    """
    root = Path(folder).resolve()
    app = manifest_of(root).get("app")
    if not isinstance(app, str) or ":" not in app:
        raise UsageError(f"{root / MANIFEST} names no app: it needs a line such as 'app: server.app:app'")
    if (root / "src").is_dir():
        _importable(root / "src")
        return app
    _importable(root)
    if not (root / "__init__.py").is_file():
        return app
    package = _package(root)
    _importable(_parent_named(root, package))
    return app if app.startswith(f"{package}.") else f"{package}.{app}"


def _package(root: Path) -> str:
    """Return the name under which a flat folder's package is installed."""
    try:
        project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        project = {}
    places = project.get("tool", {}).get("setuptools", {}).get("package-dir", {})
    for name, place in places.items():
        if name and place in (".", "./"):
            return str(name)
    chosen: str = root.name.replace("-", "_")
    if not chosen.isidentifier():
        raise UsageError(f"{root.name!r} cannot be a package's name: name the folder after its package, such as my_env")
    return chosen


def _parent_named(root: Path, package: str) -> Path:
    """Return a folder in which `root` is named as its package is."""
    if root.name == package:
        return root.parent
    place = Path(tempfile.mkdtemp(prefix="openenv-folder-"))
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    (place / package).symlink_to(root, target_is_directory=True)
    return place


def _importable(folder: Path) -> None:
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

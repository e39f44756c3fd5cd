"""What is measured, installed: the published package, and this project as its users would have it."""

from __future__ import annotations

import hashlib
import importlib
import shutil
import subprocess
import sys
from importlib.metadata import distributions, version
from pathlib import Path
from typing import Any

CORE = Path(__file__).parents[1]
PUBLISHED = "0.10.0"
INSTALLERS = ("pip", "setuptools", "wheel", "_distutils_hack", "distutils-precedence", "pkg_resources", "__pycache__")


def _published_package() -> Any:
    tests = str(CORE / "tests")
    if tests not in sys.path:
        sys.path.append(tests)
    return importlib.import_module("published_package")


def published_python() -> Path:
    """Return the interpreter that has the published package, which is installed first where it is not."""
    package = _published_package()
    package.install(PUBLISHED)
    return Path(package.interpreter(PUBLISHED))


def published_loop() -> tuple[Path, ...]:
    """Return the folders that give the published side's load generator the event loop that ours has.

    The published package does not bring uvloop. Its server runs as it comes; both sides' *callers* use the same loop.
    """
    try:
        wanted = version("uvloop")
    except ImportError:
        return ()
    package = _published_package()
    folder = Path(package.HOME) / f"uvloop-{wanted}"
    if not folder.exists():
        _pip(package.interpreter(PUBLISHED), "--no-deps", "--target", str(folder), f"uvloop=={wanted}")
    return (folder,)


def fresh_python() -> Path:
    """Return the interpreter of a virtual environment with nothing but this checkout's `openenv-core` in it."""
    home = Path(_published_package().HOME)
    found = home / f"ours-{_fingerprint()}"
    python = found / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    if not (found / ".done").exists():
        print("installing this checkout's openenv-core into an environment of its own …", file=sys.stderr, flush=True)
        for old in home.glob("ours-*"):
            shutil.rmtree(old)
        subprocess.run([sys.executable, "-m", "venv", str(found)], check=True)
        _pip(python, str(CORE))
        (found / ".done").touch()
    return python


def _pip(python: Path, *arguments: str) -> None:
    subprocess.run([str(python), "-m", "pip", "install", "-qq", "--disable-pip-version-check", *arguments], check=True)


def _fingerprint() -> str:
    """What tells one state of the checkout from another."""
    digest = hashlib.sha256(sys.version.encode())
    for path in sorted([*CORE.glob("src/**/*.py"), CORE / "pyproject.toml"]):
        digest.update(str(path.relative_to(CORE)).encode() + path.read_bytes())
    return digest.hexdigest()[:12]


def site_packages(python: Path) -> Path:
    """Return where an interpreter's packages are."""
    told = subprocess.check_output([str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], text=True)
    return Path(told.strip())


def installed(python: Path) -> dict[str, float]:
    """Return size in MB (10⁶ bytes) and number of the packages of an environment, without the installers themselves."""
    folder = site_packages(python)
    kept = [entry for entry in folder.iterdir() if not entry.name.startswith(INSTALLERS)]
    files = [path for entry in kept for path in ([entry] if entry.is_file() else entry.rglob("*"))]
    size = sum(path.lstat().st_size for path in files if path.is_file() and not path.is_symlink())
    names = {found.metadata["Name"].lower() for found in distributions(path=[str(folder)])}
    return {"install_mb": size / 1e6, "packages": len(names - set(INSTALLERS))}


def import_s(python: Path, statement: str) -> float:
    """Return how long a statement takes in a fresh interpreter, the start of that left out."""
    code = f"import time; began = time.perf_counter(); {statement}; print(time.perf_counter() - began)"
    return float(subprocess.check_output([str(python), "-I", "-c", code], text=True).splitlines()[-1])

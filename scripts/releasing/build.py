"""Builds packages: an sdist, and a wheel from it that is the same as one from the folder."""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from uv import find_uv_bin

from .packages import Package, package, packages
from .refusal import Failure, Refusal, run


def build(wanted: Package, out: Path) -> list[Path]:
    """Build a package's sdist and wheel into a folder, in place of earlier ones of it, and return their paths.

    Raises:
        Failure: it does not build, or the sdist lacks or adds something: the wheel from it is another than the folder's.
    """
    out.mkdir(parents=True, exist_ok=True)
    stem = _stem(wanted)
    for earlier in (*out.glob(f"{stem}-*.whl"), *out.glob(f"{stem}-*.tar.gz")):
        earlier.unlink()
    _uv_build(wanted, out)
    sdist, from_sdist = built(wanted, out)
    with tempfile.TemporaryDirectory(prefix="openenv-wheel-") as place:
        _uv_build(wanted, Path(place), "--wheel")
        (from_folder,) = Path(place).glob("*.whl")
        other = differences(from_folder, from_sdist)
    if other:
        raise Failure(f"the wheel of {wanted.distribution} from its sdist is not the folder's: {', '.join(other[:5])}")
    return [sdist, from_sdist]


def built(wanted: Package, out: Path) -> tuple[Path, Path]:
    """Return the sdist and the wheel of a package's version, as built into a folder. Raises `Refusal` without them."""
    stem = f"{_stem(wanted)}-{wanted.version}"
    sdist, wheel = out / f"{stem}.tar.gz", out / f"{stem}-py3-none-any.whl"
    for path in (sdist, wheel):
        if not path.is_file():
            raise Refusal(f"there is no {path}: scripts/build-packages {wanted.name} builds it")
    return sdist, wheel


def differences(one: Path, other: Path) -> list[str]:
    """Return the names of what two wheels do not hold alike."""
    left, right = _content(one), _content(other)
    return sorted(name for name in left.keys() | right.keys() if left.get(name) != right.get(name))


def _stem(wanted: Package) -> str:
    """Return what the names of a package's files begin with."""
    return wanted.distribution.replace("-", "_")


def _content(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _uv_build(wanted: Package, out: Path, *options: str) -> None:
    command = [find_uv_bin(), "build", "--quiet", "--no-build-isolation", "--no-create-gitignore", "--python", sys.executable]
    done = subprocess.run([*command, *options, "--out-dir", str(out), str(wanted.folder)], capture_output=True, text=True)
    if done.returncode:
        raise Failure(f"{wanted.distribution} does not build: {done.stderr.strip()}")


def main() -> None:
    """Build the packages named."""
    parser = argparse.ArgumentParser(prog="build-packages", description="Build wheels and sdists.")
    parser.add_argument("packages", nargs="*", metavar="PACKAGE", help="core, or a folder below envs; none means all")
    parser.add_argument("--out", type=Path, default=Path("dist"), help="the folder to build into (dist)")
    parser.add_argument("--built", action="store_true", help="build nothing: print the files that were built")
    given, root = parser.parse_args(), Path.cwd()
    chosen = [package(root, name) for name in given.packages] or packages(root)
    if given.built:
        print("\n".join(str(path) for wanted in chosen for path in built(wanted, given.out)))
        return
    for wanted in chosen:
        print(f"Building {wanted.distribution} {wanted.version}", flush=True)
        for path in build(wanted, given.out):
            print(f"  {path} ({path.stat().st_size:,} bytes)", flush=True)


if __name__ == "__main__":
    run("build-packages", main)

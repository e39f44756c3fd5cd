"""The package and version that a tag names."""

from __future__ import annotations

import argparse
from pathlib import Path

from .outputs import tell
from .packages import ENVIRONMENTS, Package, packages
from .refusal import Refusal, run


def tagged(root: Path, tag: str) -> Package:
    """Return the package that a tag such as `core-v0.5.0` or `echo-env-v1.2.0` releases.

    Raises:
        Refusal: the tag is of no package here, or not of the version in its folder.
    """
    found = packages(root)
    label, separator, version = tag.rpartition("-v")
    of_label = [each for each in found if each.label == label]
    if not separator or not of_label:
        raise Refusal(f"the tag {tag!r} is of no package: one is {' or '.join(each.tag('VERSION') for each in found)}")
    wanted = of_label[0]
    if version != wanted.version:
        raise Refusal(f"the tag {tag!r} does not match {wanted.version_file.relative_to(root)}, which says {wanted.version}")
    return wanted


def main() -> None:
    """Print what a workflow of a release needs to know."""
    parser = argparse.ArgumentParser(prog="tag-target", description="Tell which package and version a tag releases.")
    parser.add_argument("tag", help="such as core-v0.5.0 or echo-env-v1.2.0")
    root = Path.cwd()
    wanted = tagged(root, parser.parse_args().tag)
    found = {
        "name": wanted.name,
        "distribution": wanted.distribution,
        "version": wanted.version,
        "environment": str(wanted.folder.parent.name == ENVIRONMENTS).lower(),
    }
    print("\n".join(f"{name}={value}" for name, value in found.items()))
    tell(found)


if __name__ == "__main__":
    run("tag-target", main)

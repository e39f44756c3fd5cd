"""Makes a release: the version, the changelog, the ranges of those that depend on it, a commit and a tag."""

from __future__ import annotations

import argparse
import difflib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from packaging.version import InvalidVersion, Version

from .changelog import FOLDER, fragments, has_unreleased, with_release
from .dependants import Range, compatible, mended, unfitting
from .packages import ENVIRONMENTS, Package, package
from .refusal import Refusal, run
from .repository import Repository


@dataclass
class Release:
    """What a release changes.

    Attributes:
        package: what is released.
        version: as which.
        edits: the files' new texts; None for those that go.
        followers: the environments whose ranges it mends.
    """

    package: Package
    version: Version
    edits: dict[Path, str | None] = field(default_factory=dict)
    followers: list[str] = field(default_factory=list)

    @property
    def tag(self) -> str:
        """Its tag."""
        return self.package.tag(str(self.version))

    @property
    def message(self) -> str:
        """What the commit and the tag say."""
        return f"Release {self.package.distribution} {self.version}"


def planned(root: Path, repository: Repository, name: str, number: str, *, update_ranges: bool) -> Release:
    """Return what a release changes; nothing is written.

    Raises:
        Refusal: there is no such package, the version is none, is not newer or is tagged already, something is not committed,
            nothing stands in the changelog, or a dependant's range leaves the version out and is not to be mended.
    """
    wanted = package(root, name)
    release = Release(wanted, _version(number))
    _refuse_old(repository, release)
    changes = repository.changes
    if changes:
        raise Refusal(f"{_told(changes)} not committed: commit or stash first")
    collected, changelog = fragments(wanted.folder), wanted.folder / "CHANGELOG.md"
    written = changelog.read_text(encoding="utf-8") if changelog.is_file() else f"# Changes of {wanted.distribution}\n"
    if not collected and not has_unreleased(written):
        raise Refusal(f"nothing to release: {(wanted.folder / FOLDER).relative_to(root)} has no fragments")
    left_out = unfitting(root, wanted, release.version)
    if left_out and not update_ranges:
        ranges = ", ".join(f"{each.path.relative_to(root)} ({each.requirement})" for each in left_out)
        raise Refusal(f"{release.version} does not fit {ranges}: mend them, or give --update-ranges")
    day = datetime.now(UTC).date().isoformat()
    if str(release.version) != wanted.version:
        release.edits[wanted.version_file] = wanted.with_version(str(release.version))
    release.edits[changelog] = with_release(wanted.folder, written, str(release.version), day)
    release.edits |= dict.fromkeys(collected)
    for each in left_out:
        _mend(release, each)
    return release


def _mend(release: Release, left_out: Range) -> None:
    """Widen one range, and let an environment's changelog say so."""
    path = left_out.path
    text = release.edits.get(path) or path.read_text(encoding="utf-8")
    release.edits[path] = mended(text, left_out.requirement, release.version)
    if path.parent.parent.name == ENVIRONMENTS:
        needs = f"{release.package.distribution}{compatible(release.version)}"
        slug = f"needs-{release.package.label}-{release.version.major}-{release.version.minor}"
        release.edits[path.parent / FOLDER / f"{slug}.changed.md"] = f"Needs `{needs}`.\n"
        if path.parent.name not in release.followers:
            release.followers.append(path.parent.name)


def _version(number: str) -> Version:
    try:
        version = Version(number)
    except InvalidVersion:
        raise Refusal(f"{number!r} is no version: one is 0.5.0 or 0.5.0rc1") from None
    if str(version) != number or version.local or len(version.release) != 3:
        raise Refusal(f"{number!r} is not how versions are written here: three numbers, as 0.5.0 or 0.5.0rc1")
    return version


def _refuse_old(repository: Repository, release: Release) -> None:
    """Refuse a version that is tagged, or not newer than the folder's; that one itself may be released while it has no tag."""
    wanted, current = release.package, Version(release.package.version)
    if repository.has_tag(release.tag):
        raise Refusal(f"the tag {release.tag} is there already: give a newer version than {current}")
    if release.version < current or (release.version == current and repository.has_tag(wanted.tag(str(current)))):
        raise Refusal(f"{wanted.distribution} is at {current}: {release.version} is not newer")


def _told(changes: list[str]) -> str:
    shown = ", ".join(changes[:3]) + (f" and {len(changes) - 3} more" if len(changes) > 3 else "")
    return f"{shown} {'is' if len(changes) == 1 else 'are'}"


def _show(root: Path, release: Release) -> None:
    """Print what would change as a diff, and which fragments would go."""
    for path, text in release.edits.items():
        name = str(path.relative_to(root))
        if text is None:
            print(f"collected {name}")
            continue
        before = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
        sides = (f"a/{name}" if path.is_file() else "/dev/null", f"b/{name}")
        print("\n".join(difflib.unified_diff(before, text.splitlines(), *sides, lineterm="", n=1)))


def _write(release: Release) -> None:
    for path, text in release.edits.items():
        if text is None:
            path.unlink()
        else:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")


def main() -> None:
    """Release one package."""
    parser = argparse.ArgumentParser(prog="release", description="Release a package: version, changelog, commit and tag.")
    parser.add_argument("package", help="core, or a folder below envs")
    parser.add_argument("version", help="such as 0.5.0")
    parser.add_argument("--update-ranges", action="store_true", help="mend the ranges of dependants that leave the version out")
    parser.add_argument("--dry-run", action="store_true", help="show all that would change, and change nothing")
    given, root = parser.parse_args(), Path.cwd()
    repository = Repository(root)
    release = planned(root, repository, given.package, given.version, update_ranges=given.update_ranges)
    print(f"{release.package.distribution} {release.package.version} → {release.version}, tag {release.tag}")
    if given.dry_run:
        _show(root, release)
        print(f"Nothing was changed. The commit and the tag would say: {release.message}")
        return
    for path, text in release.edits.items():
        print(f"  {'collected' if text is None else 'changed' if path.is_file() else 'added'} {path.relative_to(root)}")
    _write(release)
    commit = repository.commit(list(release.edits), release.message, release.tag)
    print(f"Committed {commit} and tagged it {release.tag}. Nothing is pushed; this publishes it:")
    print(f"  git push --atomic origin {repository.branch} {release.tag}")
    for follower in release.followers:
        print(f"Its range is mended, so release it next: scripts/release {follower} VERSION")


if __name__ == "__main__":
    run("release", main)

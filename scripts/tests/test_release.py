"""A release sets the version, collects fragments, holds dependants' ranges, commits and tags; or changes nothing."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from scripting import ROOT, last_line, program, small_checkout

ENVIRONMENTS = ("echo", "coding")
TEMPLATES = "core/src/openenv/hub/templates"


def git(checkout: Path, *arguments: str) -> str:
    """Run git to its end, and return what it printed."""
    done = subprocess.run(["git", "-C", str(checkout), *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def commit(checkout: Path) -> None:
    """Commit everything."""
    git(checkout, "add", "--all")
    git(checkout, "commit", "--quiet", "--message", "Work")


def state(checkout: Path) -> tuple[str, str, str]:
    """Return all that a refusal must leave as it was."""
    return git(checkout, "rev-parse", "HEAD"), git(checkout, "tag"), git(checkout, "status", "--porcelain")


@pytest.fixture(scope="module")
def seed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with core 0.4.0, which was released, three changes of it since, and two environments that depend on it."""
    if shutil.which("git") is None:
        pytest.skip("there is no git command")
    seed = small_checkout(tmp_path_factory.mktemp("seed") / "seed", *ENVIRONMENTS)
    shutil.copytree(ROOT / TEMPLATES, seed / TEMPLATES)
    (seed / "core/src/openenv/version.py").write_text('__version__ = "0.4.0"\n')
    (seed / "core/CHANGELOG.md").write_text("# Changes of openenv-core\n\n## 0.4.0 (2026-01-02)\n\n- The beginning.\n")
    for name in ENVIRONMENTS:
        folder = seed / "envs" / name
        shutil.rmtree(folder / "changelog.d", ignore_errors=True)
        project = (folder / "pyproject.toml").read_text()
        (folder / "pyproject.toml").write_text(re.sub(r'(?<="openenv-core)>=[^"]*', ">=0.4,<0.5", project))
        (folder / f"src/{name}_env/version.py").write_text('__version__ = "0.1.0"\n')
        (folder / "CHANGELOG.md").write_text(f"# Changes of {name}\n\n## 0.1.0 (not yet released)\n\n- The environment.\n")
    write(seed, "core", "fleets.added.md", "Fleets of servers.")
    write(seed, "core", "errors.fixed.md", "Errors of `step` say which.")
    write(seed, "core", "names.changed.md", "Names are shorter.")
    git(seed.parent, "init", "--quiet", "--initial-branch", "main", str(seed))
    configure(seed)
    commit(seed)
    git(seed, "tag", "core-v0.4.0")
    return seed


@pytest.fixture
def checkout(seed: Path, tmp_path: Path) -> Path:
    """A clone of the repository."""
    git(tmp_path, "clone", "--quiet", str(seed), str(tmp_path / "clone"))
    configure(tmp_path / "clone")
    return tmp_path / "clone"


def configure(checkout: Path) -> None:
    """Say who commits."""
    git(checkout, "config", "user.name", "releasing")
    git(checkout, "config", "user.email", "releasing@example.invalid")


def write(checkout: Path, name: str, fragment: str, text: str) -> Path:
    """Write a fragment."""
    folder = checkout / name / "changelog.d"
    folder.mkdir(exist_ok=True)
    (folder / fragment).write_text(f"{text}\n")
    return folder / fragment


def test_a_release_is_one_commit_with_the_version_and_the_changes_and_a_tag_that_can_be_pushed(checkout: Path) -> None:
    done = program("release", checkout, "core", "0.4.1")
    assert done.returncode == 0, done.stderr
    assert "  git push --atomic origin main core-v0.4.1\n" in done.stdout
    assert (checkout / "core/src/openenv/version.py").read_text() == '__version__ = "0.4.1"\n'
    day = git(checkout, "log", "-1", "--date=format-local:%Y-%m-%d", "--format=%cd")
    above, section, below = (checkout / "core/CHANGELOG.md").read_text().split("\n## ")
    assert above == "# Changes of openenv-core\n"
    assert section.startswith("0.4.1 (20")
    assert day[:7] in section
    assert section.split("\n\n", 1)[1] == (
        "### Added\n\n- Fleets of servers.\n\n"
        "### Changed\n\n- Names are shorter.\n\n### Fixed\n\n- Errors of `step` say which.\n"
    )
    assert below == "0.4.0 (2026-01-02)\n\n- The beginning.\n"
    assert not list((checkout / "core").glob("changelog.d/*"))
    assert git(checkout, "status", "--porcelain") == ""
    assert git(checkout, "log", "-2", "--format=%s").splitlines() == ["Release openenv-core 0.4.1", "Work"]
    assert git(checkout, "rev-parse", "core-v0.4.1^{commit}") == git(checkout, "rev-parse", "HEAD")
    git(checkout, "init", "--quiet", "--bare", str(checkout.parent / "remote"))
    git(checkout, "push", "--quiet", "--atomic", str(checkout.parent / "remote"), "main", "core-v0.4.1")
    assert git(checkout.parent / "remote", "rev-parse", "core-v0.4.1^{commit}") == git(checkout, "rev-parse", "HEAD")
    told = program("tags", checkout, "core-v0.4.1")
    assert "version=0.4.1\n" in told.stdout, told.stderr


def test_a_dry_run_shows_the_changes_and_makes_none(checkout: Path) -> None:
    before = state(checkout)
    done = program("release", checkout, "core", "0.4.1", "--dry-run")
    assert done.returncode == 0, done.stderr
    assert '+__version__ = "0.4.1"\n' in done.stdout
    assert "+- Fleets of servers.\n" in done.stdout
    assert "collected core/changelog.d/fleets.added.md\n" in done.stdout
    assert state(checkout) == before


def test_ranges_that_leave_the_version_out_are_named_in_one_line(checkout: Path) -> None:
    template = checkout / TEMPLATES / "shared" / "extra.toml.tmpl"
    template.write_text("dependencies = ['openenv-core[gym]>=0.4,<0.5']\n")
    commit(checkout)
    before = state(checkout)
    done = program("release", checkout, "core", "0.5.0")
    assert done.returncode == 2
    for path in ("envs/echo/pyproject.toml", "envs/coding/pyproject.toml", f"{TEMPLATES}/shared/extra.toml.tmpl"):
        assert path in last_line(done)
    assert last_line(done).endswith(": mend them, or give --update-ranges")
    assert state(checkout) == before


def test_ranges_are_mended_when_asked_and_the_environments_say_so_in_their_next_release(checkout: Path) -> None:
    done = program("release", checkout, "core", "0.5.0", "--update-ranges")
    assert done.returncode == 0, done.stderr
    for name in ("echo", "coding"):
        assert '"openenv-core>=0.5,<0.6"' in (checkout / "envs" / name / "pyproject.toml").read_text()
        assert f"release it next: scripts/release {name} VERSION\n" in done.stdout
    assert git(checkout, "status", "--porcelain") == ""
    assert program("release", checkout, "core", "0.5.1").stderr.startswith("release: nothing to release: ")
    following = program("release", checkout, "echo", "0.2.0")
    assert following.returncode == 0, following.stderr
    assert "\n- Needs `openenv-core>=0.5,<0.6`.\n" in (checkout / "envs/echo/CHANGELOG.md").read_text()
    assert git(checkout, "tag").splitlines() == ["core-v0.4.0", "core-v0.5.0", "echo-env-v0.2.0"]


def test_the_first_release_of_an_environment_takes_the_section_that_it_began_with(checkout: Path) -> None:
    done = program("release", checkout, "echo", "0.1.0")
    assert done.returncode == 0, done.stderr
    written = (checkout / "envs/echo/CHANGELOG.md").read_text()
    assert re.fullmatch(r"# Changes of echo\n\n## 0\.1\.0 \(20\d\d-\d\d-\d\d\)\n\n- The environment\.\n", written)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("core", "0.4.0"), "the tag core-v0.4.0 is there already"),
        (("core", "0.3.9"), "openenv-core is at 0.4.0: 0.3.9 is not newer"),
        (("core", "0.5"), "three numbers, as 0.5.0 or 0.5.0rc1"),
        (("core", "next"), "'next' is no version"),
        (("nothing", "0.5.0"), "there is no package 'nothing': choose core, coding, echo"),
    ],
)
def test_what_is_no_newer_version_of_a_package_is_refused(checkout: Path, arguments: tuple[str, str], told: str) -> None:
    before = state(checkout)
    done = program("release", checkout, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert told in last_line(done)
    assert state(checkout) == before


def test_a_tag_of_a_version_that_the_folder_does_not_have_yet_is_refused(checkout: Path) -> None:
    git(checkout, "tag", "core-v0.4.1")
    done = program("release", checkout, "core", "0.4.1")
    assert done.returncode == 2
    assert last_line(done) == "release: the tag core-v0.4.1 is there already: give a newer version than 0.4.0"


def test_without_fragments_there_is_nothing_to_release(checkout: Path) -> None:
    shutil.rmtree(checkout / "core/changelog.d")
    commit(checkout)
    before = state(checkout)
    done = program("release", checkout, "core", "0.4.1")
    assert done.returncode == 2
    assert last_line(done) == "release: nothing to release: core/changelog.d has no fragments"
    assert state(checkout) == before


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("fleets.new.md", "Fleets.", "is no fragment: name it <slug>.added.md"),
        ("two.added.md", "One.\nTwo.", "is not one line of text"),
        ("dash.added.md", "- One.", "is not one line of text, without a dash"),
    ],
)
def test_a_fragment_that_would_not_be_collected_is_refused(checkout: Path, name: str, text: str, told: str) -> None:
    write(checkout, "core", name, text)
    commit(checkout)
    before = state(checkout)
    done = program("release", checkout, "core", "0.4.1")
    assert done.returncode == 2
    assert f"core/changelog.d/{name} {told}" in last_line(done)
    assert state(checkout) == before


@pytest.mark.parametrize("path", ["core/pyproject.toml", "notes.txt"])
def test_what_is_not_committed_is_refused(checkout: Path, path: str) -> None:
    with (checkout / path).open("a") as file:
        file.write("\n")
    before = state(checkout)
    done = program("release", checkout, "core", "0.4.1")
    assert done.returncode == 2
    assert last_line(done) == f"release: {path} is not committed: commit or stash first"
    assert state(checkout) == before


def test_a_commit_that_git_refuses_leaves_everything_as_it_was(checkout: Path) -> None:
    before = state(checkout)
    hook = checkout / ".git/hooks/pre-commit"
    hook.write_text("#!/bin/sh\necho 'not today' >&2\nexit 1\n")
    hook.chmod(0o755)
    done = program("release", checkout, "core", "0.4.1")
    assert done.returncode == 1
    assert last_line(done) == "release: git commit failed, and everything is as it was before: not today"
    assert state(checkout) == before
    assert (checkout / "core/changelog.d/fleets.added.md").is_file()


def test_every_fragment_of_this_checkout_can_be_collected(checkout: Path) -> None:
    shutil.rmtree(checkout / "core/changelog.d")
    told = []
    for path in (*ROOT.glob("core/changelog.d/*"), *ROOT.glob("envs/*/changelog.d/*")):
        told.append(path.read_text().strip())
        write(checkout, "core", f"{path.parts[-3]}-{path.name}", told[-1])
    if not told:
        pytest.skip("nothing waits for a release")
    commit(checkout)
    done = program("release", checkout, "core", "0.4.1")
    assert done.returncode == 0, done.stderr
    written = (checkout / "core/CHANGELOG.md").read_text().splitlines()
    assert [line for line in told if f"- {line}" not in written] == []

"""A tag names a package and the version in its folder, or is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from scripting import last_line, script, version


@pytest.mark.parametrize(
    ("name", "label", "is_environment"),
    [("core", "core", "false"), ("echo", "echo-env", "true"), ("coding", "coding-env", "true")],
)
def test_a_tag_tells_what_it_releases(name: str, label: str, is_environment: str, tmp_path: Path) -> None:
    outputs = tmp_path / "outputs"
    done = script("tag-target", f"{label}-v{version(name)}", variables={"GITHUB_OUTPUT": str(outputs)})
    assert done.returncode == 0, done.stderr
    assert done.stdout == outputs.read_text()
    assert dict(line.split("=") for line in done.stdout.splitlines()) == {
        "name": name,
        "distribution": f"openenv-{label}",
        "version": version(name),
        "environment": is_environment,
    }


@pytest.mark.parametrize("number", ["99.0.0", "", f"{version('echo')}rc1", f"{version('echo')}.0"])
def test_a_tag_of_another_version_than_the_folders_is_refused(number: str, tmp_path: Path) -> None:
    outputs = tmp_path / "outputs"
    done = script("tag-target", f"echo-env-v{number}", variables={"GITHUB_OUTPUT": str(outputs)})
    assert (done.returncode, done.stdout, outputs.exists()) == (2, "", False)
    assert f"does not match envs/echo/src/echo_env/version.py, which says {version('echo')}" in last_line(done)


@pytest.mark.parametrize("tag", ["nothing-v1.0.0", f"echo-v{version('echo')}", f"v{version('core')}", "core", ""])
def test_a_tag_of_no_package_is_refused(tag: str) -> None:
    done = script("tag-target", tag)
    assert (done.returncode, done.stdout) == (2, "")
    assert "is of no package: one is core-vVERSION or " in last_line(done)

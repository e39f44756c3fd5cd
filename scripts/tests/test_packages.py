"""Packages: built whole, tested as wheels, published to a real index, and played from there in an empty environment."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from scripting import ROOT, SCRIPTS, last_line, program, script, small_checkout, version
from serving import wait_until


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the packages of core and echo."""
    folder = tmp_path_factory.mktemp("dist")
    done = script("build-packages", "--out", str(folder), "core", "envs/echo")
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of an index without packages, to which the user `me` may upload."""
    folder = tmp_path_factory.mktemp("index")
    (folder / "packages").mkdir()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-W", "ignore", "-m", "pypiserver", "run", "-i", "127.0.0.1", "-p", str(port)]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "--disable-fallback", "-P", ".", "-a", ".", str(folder / "packages")], stdout=log, stderr=log
        )
        url = f"http://127.0.0.1:{port}"
        try:
            wait_until(lambda: answers(url) or process.poll() is not None, 30)
            assert process.poll() is None, (folder / "log").read_text()
            yield url
        finally:
            process.terminate()
            process.wait(20)


def answers(url: str) -> bool:
    try:
        return httpx.get(url).is_success
    except httpx.HTTPError:
        return False


def publish(folder: Path, index: str, *names: str, **variables: str) -> subprocess.CompletedProcess[str]:
    known = {"UV_PUBLISH_USERNAME": "me", "UV_PUBLISH_PASSWORD": "hush", "PACKAGE_INDEX": index}
    return script("publish-packages", "--from", str(folder), *names, variables={**known, **variables})


def test_an_sdist_and_a_wheel_hold_the_folder_and_nothing_of_this_machine(built: Path) -> None:
    stem = f"openenv_echo_env-{version('echo')}"
    with tarfile.open(built / f"{stem}.tar.gz") as sdist, zipfile.ZipFile(built / f"{stem}-py3-none-any.whl") as wheel:
        inside = {name.removeprefix(f"{stem}/") for name in sdist.getnames()}
        modules = {name for name in wheel.namelist() if name.startswith("echo_env/")}
    source = ROOT / "envs" / "echo" / "src"
    written = {path.relative_to(source).as_posix() for path in (source / "echo_env").rglob("*") if path.suffix != ".pyc"}
    assert modules == {name for name in written if (source / name).is_file()}
    assert {f"src/{name}" for name in modules} | {"README.md", "LICENSE", "pyproject.toml"} <= inside
    assert not [name for name in inside if "__pycache__" in name or "_cache/" in name or name.startswith("dist/")]


def test_an_sdist_that_lacks_something_is_refused(tmp_path: Path) -> None:
    checkout = small_checkout(tmp_path / "checkout", "echo")
    with (checkout / "envs" / "echo" / "pyproject.toml").open("a") as project:
        project.write('\n[tool.hatch.build.targets.sdist]\nexclude = ["src/echo_env/client.py"]\n')
    done = program("build", checkout, "echo")
    assert done.returncode == 1
    assert "from its sdist is not the folder's: echo_env/client.py" in last_line(done)
    other = program("build", checkout, "nothing")
    assert (other.returncode, last_line(other)) == (2, "build-packages: there is no package 'nothing': choose core, echo")


def test_a_wheel_is_tested_in_an_empty_environment() -> None:
    done = script("test-wheel", "echo", "--", "-k", "client or contract")
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout


def test_what_comes_from_the_checkout_breaks_the_test_of_a_wheel() -> None:
    done = script("test-wheel", "echo", "--", "-o", f"pythonpath={ROOT}/core/src core/tests", "--collect-only")
    assert done.returncode == 1
    assert f"from the checkout, not from a wheel: {ROOT}/core/src" in done.stderr
    assert last_line(done) == "test-wheel: failed: echo"


def test_packages_are_published_and_played_from_the_index(built: Path, index: str) -> None:
    done = publish(built, index, "core", "echo")
    assert done.returncode == 0, done.stderr
    listed = httpx.get(f"{index}/simple/openenv-echo-env/").text
    assert all(f"openenv_echo_env-{version('echo')}{end}" in listed for end in (".tar.gz", "-py3-none-any.whl"))
    again = publish(built, index, "echo")
    assert again.returncode == 0, again.stderr
    tried = script("try-package", "--index", f"{index}/simple/", "echo", version("echo"))
    assert tried.returncode == 0, tried.stdout + tried.stderr
    assert re.search(r"^starting +kept *$", tried.stdout, re.MULTILINE)


def test_what_an_index_has_is_not_changed_and_its_refusal_is_told(built: Path, index: str, tmp_path: Path) -> None:
    assert publish(built, index, "echo").returncode == 0
    other = tmp_path / "dist"
    shutil.copytree(built, other)
    wheel = other / f"openenv_echo_env-{version('echo')}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "a") as archive:
        archive.writestr("echo_env/more.py", "")
    done = publish(other, index, "echo")
    assert (done.returncode, last_line(done)) == (1, f"publish-packages: not everything was uploaded to {index}: see above")


@pytest.mark.parametrize(
    ("names", "variables", "told"),
    [
        ([], {}, "name the packages to publish"),
        (["nothing"], {}, "there is no package 'nothing'"),
        (["connect4"], {}, "scripts/build-packages connect4 builds it"),
        (["echo"], {"PACKAGE_INDEX": ""}, "PACKAGE_INDEX is not set"),
    ],
)
def test_what_cannot_be_published_is_told(built: Path, names: list[str], variables: dict[str, str], told: str) -> None:
    done = publish(built, "http://127.0.0.1:1", *names, **variables)
    assert done.returncode == 2
    assert told in last_line(done)


def test_a_version_that_an_index_does_not_have_is_told(index: str) -> None:
    done = script("try-package", "--index", f"{index}/simple/", "echo", "99.0.0")
    assert done.returncode == 1
    assert last_line(done) == "try-package: openenv-echo-env 99.0.0 could not be installed: see above"


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_every_package_is_built_tested_published_and_played(index: str, tmp_path: Path) -> None:
    built = script("build-packages", "--out", str(tmp_path), timeout_s=600)
    assert built.returncode == 0, built.stderr
    names = json.loads(script("matrix").stdout)["packages"]
    done = publish(tmp_path, index, *names)
    assert done.returncode == 0, done.stderr
    for name in names:
        tried = script("try-package", "--index", f"{index}/simple/", name, version(name), timeout_s=600)
        assert tried.returncode == 0, f"{name}: {tried.stdout}{tried.stderr}"
    tested = subprocess.run([SCRIPTS / "test-wheel", *names[1:]], capture_output=True, text=True)
    assert tested.returncode == 0, tested.stdout + tested.stderr

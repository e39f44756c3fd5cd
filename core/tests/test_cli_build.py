"""`openenv build` and `openenv push --registry`: images that a real engine builds, a real registry keeps, and that play."""

from __future__ import annotations

import io
import os
import re
import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import containers
import pytest
from commanding import ENVS, flat_folder, run
from image_registry import image_registry

from openenv import GenericEnvClient
from openenv.hub.base_image import openenv_base
from openenv.hub.docker_command import DockerCommand
from openenv.hub.scaffold import scaffold

pytestmark = pytest.mark.docker

DOCKERFILE = """ARG BASE_IMAGE=nowhere.invalid/none:latest
FROM ${BASE_IMAGE}
ARG GREETING
ENV GREETING=${GREETING}
WORKDIR /app
COPY . .
USER 1000
HEALTHCHECK CMD ["true"]
CMD ["python3", "-m", "openenv.server", "server.app:app", "--host", "0.0.0.0", "--port", "8000"]
"""
PROJECT = "[project]\nname = 'parrot-env'\nversion = '1.0'\nrequires-python = '>=3.11'\ndependencies = ['openenv-core']\n"
BASE = "openenv-base:latest"


@pytest.fixture(scope="module")
def base(engine: Any) -> str:
    """An image to build on."""
    containers.built("base")
    return BASE


@pytest.fixture
def parrot(tmp_path: Path, engine: Any, base: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A flat folder with its Dockerfile beside the server, and a base image to build it on; no image of it is left."""
    monkeypatch.setenv("BASE_IMAGE", base)
    folder = flat_folder(tmp_path / "parrot")
    (folder / "pyproject.toml").write_text(PROJECT)
    (folder / "server" / "Dockerfile").write_text(DOCKERFILE)
    yield folder
    for image in engine.images.list():
        if any("parrot-env" in tag for tag in image.tags):
            engine.images.remove(image.id, force=True)


def variables(engine: Any, image: str) -> set[str]:
    return set(engine.images.get(image).attrs["Config"]["Env"])


def test_a_flat_folder_is_built_and_the_lines_told_play_it(parrot: Path, engine: Any) -> None:
    done = run("build", str(parrot), "--build-arg", "GREETING=hello there")
    assert done.returncode == 0, done.stderr
    first, play, _, *lines = done.stdout.splitlines()
    assert first.startswith("built parrot-env:latest: ")
    assert play == "play it with openenv play parrot-env:latest, or:"
    assert "COPY . ." in done.stderr
    assert "GREETING=hello there" in variables(engine, "parrot-env:latest")
    told: dict[str, Any] = {}
    exec("\n".join(lines).replace("print(", "heard = ("), told)
    assert told["heard"]["heard"] == ""


def test_the_other_layout_another_tag_and_another_dockerfile(parrot: Path, tmp_path: Path, engine: Any) -> None:
    folder = tmp_path / "mine"
    shutil.copytree(ENVS / "echo", folder, ignore=shutil.ignore_patterns("__pycache__", "src"))
    (folder / "src" / "echo_env" / "server").mkdir(parents=True)
    (folder / "src" / "echo_env" / "server" / "app.py").write_text("")
    (folder / "small.Dockerfile").write_text('FROM scratch\nCOPY . /only\nCMD ["true"]\n')
    context = tmp_path / "context"
    context.mkdir()
    (context / "file").write_text("of the context")
    given = ["-t", "parrot-env:other", "-f", "small.Dockerfile", "-c", str(context), "--no-cache"]
    done = run("build", str(folder), *given)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("built parrot-env:other: ")
    container = engine.containers.create("parrot-env:other")
    try:
        assert container.get_archive("/only/file")[1]["size"] == len("of the context")
    finally:
        container.remove()


@pytest.fixture(params=["0", "1"], ids=["classic", "buildkit"])
def builder(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Either builder, as what the docker command on the PATH builds with."""
    found: str = request.param
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "docker").symlink_to(containers.docker_command(found))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=os.pathsep)
    monkeypatch.setenv("DOCKER_BUILDKIT", found)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return found


def test_a_build_that_fails_shows_the_step_its_last_words_and_what_to_do(parrot: Path, engine: Any, builder: str) -> None:
    before = {container.id for container in engine.containers.list(all=True, filters={"status": "exited"})}
    fails = "python3 -c \"[print(f'\\033[91mword {n}\\033[0m') for n in range(40)]; raise SystemExit(3)\""
    with (parrot / "server" / "Dockerfile").open("a") as dockerfile:
        dockerfile.write(f"RUN {fails}\n")
    done = run("build", str(parrot))
    assert (done.returncode, done.stdout) == (1, "")
    assert "\x1b" not in done.stderr
    assert "Traceback" not in done.stderr
    *_, title, shown = re.split(r"^(step .*)$", done.stderr, flags=re.MULTILINE)
    assert re.fullmatch(r"step \d+/\d+: RUN python3 -c .*", title)
    *words, last = shown.strip().splitlines()
    assert [word.strip() for word in words] == [f"word {number}" for number in range(32, 40)]
    told = (
        r"openenv: parrot-env:latest was not built at step \d+/\d+, exit code 3: mend what the lines above say; all .* in (\S+)"
    )
    found = re.fullmatch(told, last)
    assert found, last
    assert all(f"word {number}\n" in Path(found[1]).read_text() for number in range(40))
    left = {container.id for container in engine.containers.list(all=True, filters={"status": "exited"})} - before
    assert not [one for one in left if "raise SystemExit(3)" in str(engine.containers.get(one).attrs["Config"]["Cmd"])]


NOWHERE = "nowhere.invalid/none:1"


@pytest.mark.parametrize(
    ("builder", "line", "base_image", "told"),
    [
        ("0", "", NOWHERE, "what it builds on, .*none:1, cannot be had: name another by --build-arg"),
        ("1", "", NOWHERE, "what it builds on, .*none:1, cannot be had: name another by --build-arg"),
        ("0", "RUN pip install --no-index no-such-thing", BASE, "no index has such a no-such-thing: correct pyproject.toml"),
        (
            "1",
            "RUN pip install --no-index openenv-core==99",
            BASE,
            "no index has such an openenv-core: run .*images base",
        ),
        ("0", "NONSENSE", BASE, "correct the Dockerfile"),
        ("1", "COPY no/such/file .", BASE, "put the file into the folder, or take it out of .dockerignore"),
    ],
    indirect=["builder"],
)
def test_what_mends_a_build_is_told(parrot: Path, builder: str, line: str, base_image: str, told: str) -> None:
    with (parrot / "server" / "Dockerfile").open("a") as dockerfile:
        dockerfile.write(f"USER root\n{line}\n")
    done = run("build", str(parrot), "--build-arg", f"BASE_IMAGE={base_image}")
    last = done.stderr.splitlines()[-1]
    assert done.returncode == 1
    found = re.fullmatch(rf"openenv: parrot-env:latest was not built.*: {told}.*; all that docker said is in (\S+)", last)
    assert found, done.stderr
    assert Path(found[1]).is_file()


def test_a_new_folder_is_built_on_the_image_with_openenv_core_that_is_here(
    parrot: Path, engine: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nobody says what to build on, and where that is what this image was itself built on."""
    folder = scaffold("parrot", tmp_path / "new")
    below = engine.images.get(BASE).attrs["RootFS"]["Layers"]
    monkeypatch.delenv("BASE_IMAGE")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    done = run("build", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert f"building on {BASE}, which has openenv-core" in done.stderr
    image = engine.images.get("parrot-env:latest")
    assert image.attrs["RootFS"]["Layers"][: len(below)] == below
    assert not list(tmp_path.glob("openenv-build-*.log"))
    docker = DockerCommand()
    assert [openenv_base(docker, asked) for asked in (BASE, image.id, "nowhere.invalid/none:1")] == [BASE, None, None]
    with GenericEnvClient.from_docker_image("parrot-env:latest").sync() as env:
        env.reset(seed=1)
        assert env.step({"guess": 1}).observation["guesses_left"] == 6


def test_a_dry_run_lists_the_files_that_an_engine_is_sent(parrot: Path, engine: Any, tmp_path: Path) -> None:
    for path in ("notes.md", "deep/notes.md", "deep/__pycache__/a.pyc", "deep/er/kept.txt", "left/out", "left/in"):
        (parrot / path).parent.mkdir(parents=True, exist_ok=True)
        (parrot / path).write_text("")
    ignored = "# all but\n*.md\n**/__pycache__\n/left/\n!left/in\nde?p/er/*\n!deep/er/kept.txt\n.env*\n"
    (parrot / ".dockerignore").write_text(ignored)
    (parrot / "server" / "Dockerfile").write_text('FROM scratch\nCOPY . /only\nUSER 1\nCMD ["true"]\n')
    dry = run("push", str(parrot), "--registry", "127.0.0.1:1", "--dry-run")
    listed = set(re.findall(r"^would send to the engine: (\S+) \([\d,]+ bytes\)$", dry.stdout, re.MULTILINE))
    assert run("build", str(parrot)).returncode == 0
    container = engine.containers.create("parrot-env:latest")
    try:
        content = io.BytesIO(b"".join(container.get_archive("/only")[0]))
    finally:
        container.remove()
    with tarfile.open(fileobj=content) as archive:
        sent = {entry.name.removeprefix("only/") for entry in archive if entry.isfile()}
    assert listed == sent
    assert {"left/in", "deep/er/kept.txt", "deep/notes.md"} <= sent


def test_an_image_is_pushed_to_a_registry_and_comes_back_from_there(parrot: Path, engine: Any, tmp_path: Path) -> None:
    """A small one, which only carries the folder."""
    small = DOCKERFILE.replace("FROM ${BASE_IMAGE}", "FROM scratch")
    (parrot / "server" / "Dockerfile").write_text(small)
    with image_registry(tmp_path) as place:
        image = f"{place}/mine/parrot-env:latest"
        dry = run("push", str(parrot), "--registry", f"{place}/mine", "--dry-run")
        assert f"would run: docker push {image}\n" in dry.stdout
        assert not (tmp_path / "images").exists()
        done = run("push", str(parrot), "--registry", f"{place}/mine", "--no-interface")
        assert done.returncode == 0, done.stderr
        assert f"pushed {image}: " in done.stdout
        built = engine.images.get(image).id
        engine.images.remove(image, force=True)
        assert engine.images.pull(image).id == built
        assert "ENABLE_WEB_INTERFACE=false" in variables(engine, image)
    assert (parrot / "server" / "Dockerfile").read_text() == small


@pytest.mark.long
@pytest.mark.timeout(300)
def test_an_image_is_run_from_a_registry(parrot: Path, engine: Any, tmp_path: Path) -> None:
    with image_registry(tmp_path) as place:
        image = f"{place}/mine/parrot-env:1.0"
        done = run("push", str(parrot), "--registry", image, "-b", BASE, timeout_s=250)
        assert done.returncode == 0, done.stderr
        engine.images.remove(image, force=True)
        with GenericEnvClient.from_docker_image(image).sync() as env:
            env.reset()
            assert env.step({"word": "hello"}).observation["heard"] == "hello"


def test_a_registry_that_refuses_is_told(parrot: Path, tmp_path: Path) -> None:
    done = run("push", str(parrot), "--registry", "127.0.0.1:1/mine")
    assert done.returncode == 1
    told = done.stderr[done.stderr.index("openenv: ") :]
    assert re.fullmatch(
        r"openenv: 127.0.0.1:1/mine/parrot-env:latest was not pushed: .*refused; no registry answers at 127.0.0.1:1: .*\n", told
    )


def test_a_registry_that_knows_nobody_asks_for_a_login(parrot: Path, tmp_path: Path) -> None:
    (parrot / "server" / "Dockerfile").write_text(DOCKERFILE.replace("FROM ${BASE_IMAGE}", "FROM scratch"))
    (tmp_path / "nobody").write_text("")
    with image_registry(tmp_path, tmp_path / "nobody") as place:
        done = run("push", str(parrot), "--registry", place)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines()[-1].endswith(f"; docker login {place}, as somebody who may push there")


@pytest.mark.parametrize("variable", ["PATH", "DOCKER_HOST"])
def test_what_is_missing_is_told(parrot: Path, variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, {"PATH": "/nowhere", "DOCKER_HOST": "unix:///nowhere.sock"}[variable])
    done = run("build", str(parrot))
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert {"PATH": "no docker command: install", "DOCKER_HOST": "no container engine answers"}[variable] in last

"""`openenv push` to Spaces: what was pushed is found and runs, a dry run tells it beforehand, and each refusal is one line."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from commanding import ENVS, flat_folder, run
from hub_stand_in import TOKEN
from hub_writes import READ_ONLY, WritableHub, logged_in_hub
from typer.testing import CliRunner

from openenv import GenericEnvClient
from openenv.cli.main import app
from openenv.errors import LaunchError, PublishError, UsageError
from openenv.hub.publication import Publication
from openenv.hub.publishing import publish_space

HERE = {"UV_PROJECT_ENVIRONMENT": sys.prefix, "UV_NO_SYNC": "1", "UV_OFFLINE": "1", "PYTHONPATH": ":".join(sys.path)}
"""Lets uv run a project with the packages of this test's own interpreter, and install nothing."""

DOCKERFILE = """ARG BASE_IMAGE=python:3.11-slim
FROM ${BASE_IMAGE}
COPY . .
USER 1000
HEALTHCHECK CMD ["true"]
CMD ["python3", "-m", "openenv.server", "server.app:app", "--host", "0.0.0.0", "--port", "8000"]
"""
PROJECT = "[project]\nname = 'parrot-env'\nversion = '1.0'\nrequires-python = '>=3.11'\ndependencies = ['openenv-core']\n"


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[WritableHub]:
    """A Hub without Spaces, to which this process and the commands that it starts are logged in."""
    with logged_in_hub(tmp_path, monkeypatch) as stand_in:
        yield stand_in


@pytest.fixture
def parrot(tmp_path: Path) -> Path:
    """A flat folder, with its Dockerfile beside the server, and what must not leave this machine."""
    folder = flat_folder(tmp_path / "parrot")
    (folder / "pyproject.toml").write_text(PROJECT)
    (folder / "server" / "Dockerfile").write_text(DOCKERFILE)
    (folder / ".env").write_text("PASSWORD=hush\n")
    (folder / "server" / "__pycache__").mkdir()
    (folder / "server" / "__pycache__" / "app.cpython-311.pyc").write_bytes(b"")
    return folder


def pushed(*arguments: str) -> Any:
    """Run the command in this process, to its good end."""
    done = CliRunner().invoke(app, ["push", *arguments])
    assert done.exit_code == 0, done.output
    return done


def refused(*arguments: str) -> str:
    """Return the one line with which the command refuses what it was given."""
    done = CliRunner().invoke(app, ["push", *arguments])
    assert isinstance(done.exception, UsageError), done.output
    assert "\n" not in done.exception.message
    return done.exception.message


def echo(at: Path) -> Path:
    shutil.copytree(ENVS / "echo", at, ignore=shutil.ignore_patterns("__pycache__", ".*_cache"))
    return at


def test_what_was_pushed_is_found_and_runs(hub: WritableHub, tmp_path: Path) -> None:
    folder = echo(tmp_path / "echo")
    weights = os.urandom(3_000)
    (folder / "weights.bin").write_bytes(weights)
    done = run("push", str(folder), "-r", "echo_env")
    assert done.returncode == 0, done.stderr
    assert f"pushed me/echo_env: {hub.url}/spaces/me/echo_env\n" in done.stdout
    assert hub.spaces["me/echo_env"].files()["weights.bin"] == weights
    with GenericEnvClient.from_env("me/echo_env", use_docker=False, env_vars=HERE).sync() as env:
        env.reset()
        assert env.step({"message": "pushed"}).observation["echoed_message"] == "pushed"


def test_a_flat_folder_is_pushed_as_a_space_and_changed_by_a_second_push(hub: WritableHub, parrot: Path) -> None:
    pushed(str(parrot))
    space = hub.spaces["me/parrot"]
    files = space.files()
    assert set(files) - {".gitattributes"} == {"Dockerfile", "README.md", "openenv.yaml", "pyproject.toml", "server/app.py"}
    assert files["Dockerfile"] == DOCKERFILE.encode()
    assert re.match(rb"---\ntitle: Parrot\nsdk: docker\napp_port: 8000\ntags: \[openenv\]\n---\n", files["README.md"])
    code = parrot / "server" / "app.py"
    code.write_text(code.read_text().replace("heard=action.word", "heard=action.word.upper()"))
    publish_space(parrot, Publication("me/parrot", message="Louder"))
    assert space.commits[-1] == "Louder"
    with GenericEnvClient.from_env("me/parrot", use_docker=False, env_vars=HERE).sync() as env:
        env.reset()
        assert env.step({"word": "hello"}).observation["heard"] == "HELLO"


def test_a_dry_run_lists_what_a_push_does_and_touches_nothing(
    hub: WritableHub, parrot: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = ["-r", "me/parrot", "--private", "-H", "t4-small", "-e", "LEVEL=3", "--secret", "KEY=hush"]
    monkeypatch.delenv("HF_TOKEN")
    dry = run("push", str(parrot), *options, "--dry-run")
    assert (dry.returncode, hub.requests) == (0, [])
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    done = run("push", str(parrot), *options)
    assert done.returncode == 0, done.stderr
    space = hub.spaces["me/parrot"]
    listed = re.findall(r"^would push: (\S+) \(([\d,]+) bytes", dry.stdout, re.MULTILINE)
    pushed = {path: len(content) for path, content in space.files().items() if path != ".gitattributes"}
    assert {path: int(size.replace(",", "")) for path, size in listed} == pushed
    calls = re.findall(r"^would call: (.*)$", dry.stdout, re.MULTILINE)
    assert calls == [line for line in done.stderr.splitlines() if line.split("(")[0].isidentifier()]
    assert [call.split("(")[0] for call in calls if not call.startswith("update_repo")] == [
        *("whoami", "space_info", "create_repo", "add_space_variable", "add_space_secret", "request_space_hardware"),
        "create_commit",
    ]
    assert (space.read.is_private, space.hardware) == (True, "t4-small")
    assert (space.variables, space.secrets) == ({"LEVEL": "3"}, {"KEY": "hush"})
    assert "hush" not in dry.stdout + dry.stderr + done.stdout + done.stderr


def test_a_name_without_an_owner_has_one_as_soon_as_the_hub_says_who_it_is(hub: WritableHub, parrot: Path) -> None:
    """And a small Space's size is told in a unit that fits."""
    dry = pushed(str(parrot), "--dry-run").stdout
    assert "would call: whoami(), for the owner of parrot\nwould call: space_info(parrot)\n" in dry
    assert re.search(r"^would call: create_commit\(5 files, [1-9]\.\d kB\)$", dry, re.MULTILINE)
    assert "space_info(me/parrot)\n" in pushed(str(parrot)).stderr


def test_a_dry_run_for_a_registry_lists_files_changes_and_commands(parrot: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an engine."""
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.delenv("BASE_IMAGE", raising=False)
    dry = pushed(str(parrot), "--registry", "ghcr.io/me", "--no-interface", "--dry-run").stdout
    image, changed = "ghcr.io/me/parrot-env:latest", "would write into the image's Dockerfile: "
    build = f"docker build --tag {image} --force-rm --file {parrot}/server/Dockerfile {parrot}"
    told = [line for line in dry.splitlines() if not line.startswith("would send")]
    looks = "would run: docker image inspect openenv-base:latest, to build on that where it is here"
    written = f"{changed}ENV ENABLE_WEB_INTERFACE=false"
    assert told == [written, looks, f"would run: {build}", f"would run: docker push {image}"]
    assert f"would send to the engine: openenv.yaml ({(parrot / 'openenv.yaml').stat().st_size} bytes)\n" in dry
    dry = pushed(str(parrot), "--registry", "ghcr.io/me", "-b", "mine:1", "--dry-run").stdout
    assert f"{changed}ARG BASE_IMAGE=mine:1\nwould run: {build}\n" in dry


def test_files_with_secrets_stay_here_whatever_is_said(
    hub: WritableHub, parrot: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (parrot / ".gitignore").write_text("!.env\n/scratch\n")
    (parrot / "scratch").write_text("")
    (parrot / "notes.md").write_text("")
    patterns = tmp_path / "patterns"
    patterns.write_text("!.env\nnotes.md\n")
    monkeypatch.setenv("KEY", "of the environment")
    with (parrot / "openenv.yaml").open("a") as manifest:
        manifest.write("variables: {LEVEL: 3, LOUD: true}\n")
    done = pushed(str(parrot), "--exclude", str(patterns), "--secret", "KEY", "-e", "LEVEL=4", "--no-interface")
    assert "not pushed, for such files hold secrets: .env" in done.stderr
    space = hub.spaces["me/parrot"]
    assert not {".env", "notes.md", "scratch"} & set(space.files())
    assert (space.secrets, space.variables) == ({"KEY": "of the environment"}, {"LEVEL": "4", "LOUD": "true"})
    assert space.files()["Dockerfile"].endswith(b"\nENV ENABLE_WEB_INTERFACE=false\n")


def test_several_spaces_a_pull_request_and_files_that_go(hub: WritableHub, parrot: Path) -> None:
    there = hub.space("me/parrot", files={"old": b"1", "keep": b"2", ".gitattributes": b""})
    done = pushed(str(parrot), "--create-pr")
    assert f"opened {hub.url}/spaces/me/parrot/discussions/1" in done.stdout
    assert (set(there.files()), "server/app.py" in there.pull_requests[0]) == ({"old", "keep", ".gitattributes"}, True)
    publish_space(parrot, Publication("me/parrot", private=True, delete=["ol?"]))
    assert (there.read.is_private, "old" in there.files(), "keep" in there.files()) == (True, False, True)
    publish_space(parrot, Publication("me/parrot", delete=["*"]))
    assert {"keep", ".gitattributes"} & set(there.files()) == {".gitattributes"}
    pushed(str(parrot), "-n", "2", "-r", "loud")
    assert {"me/loud-1", "me/loud-2"} <= set(hub.spaces)


def of_nobody(hub: WritableHub, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_TOKEN")


def of_a_stranger(hub: WritableHub, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_of_a_stranger")


def of_a_reader(hub: WritableHub, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", READ_ONLY)


def of_gradio(hub: WritableHub, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.space("me/parrot", sdk="gradio")


def hidden(hub: WritableHub, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.space("me/parrot")
    hub.broken["/spaces/me/parrot"] = 404


def failing(hub: WritableHub, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.broken["/commit/main"] = 503


def unreachable(hub: WritableHub, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:1")


def mauve(hub: WritableHub, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "README.md").write_text("---\ncolorFrom: mauve\n---\n")


@pytest.mark.parametrize(
    ("arrange", "told"),
    [
        (of_nobody, "does not know you: hf auth login, or set HF_TOKEN"),
        (of_a_stranger, "does not know you: hf auth login, or set HF_TOKEN"),
        (of_a_reader, "your token may not write to me/parrot: choose a name of your own"),
        (of_gradio, "me/parrot is taken, by a Space that runs gradio"),
        (hidden, "me/parrot is taken: choose another name"),
        (failing, "the Hub did not take me/parrot: .*503"),
        (unreachable, "^parrot was not pushed: no Hub answers at http://127.0.0.1:1, which HF_ENDPOINT names: .*refused"),
        (mauve, 'not pushed: Invalid metadata in README.md. - "colorFrom" must be one of'),
    ],
)
def test_a_refusal_of_the_hub_is_one_line(
    arrange: Callable[..., None], told: str, hub: WritableHub, parrot: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arrange(hub, parrot, monkeypatch)
    with pytest.raises(PublishError, match=told) as caught:
        publish_space(parrot)
    assert "\n" not in caught.value.message
    assert not [space.commits for space in hub.spaces.values() if space.commits]


def test_a_hub_that_cannot_be_reached_gives_no_space_either(hub: WritableHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:1")
    with pytest.raises(
        LaunchError, match=r"did not give the Space 'me/parrot': no Hub answers at http://127.0.0.1:1, .*refused"
    ):
        GenericEnvClient.from_env("me/parrot", where="space")


def test_a_pull_request_needs_a_space(hub: WritableHub, parrot: Path) -> None:
    with pytest.raises(PublishError, match="no Space me/parrot for a pull request"):
        publish_space(parrot, Publication("parrot", create_pr=True))
    assert hub.spaces == {}


def too_large(folder: Path) -> None:
    with (folder / "data.csv").open("wb") as data:
        data.truncate(1_100_000_000)


def with_a_token(folder: Path) -> None:
    (folder / "server" / "settings.py").write_text('\nTOKEN = "hf_' + "a1" * 17 + '"\n')


def with_a_link(folder: Path) -> None:
    (folder / "passwords").symlink_to("/etc/passwd")


def of_another_kind(folder: Path) -> None:
    (folder / "README.md").write_text("---\nsdk: gradio\n---\n")


def without_an_app(folder: Path) -> None:
    (folder / "openenv.yaml").write_text("spec_version: 1\nname: parrot\nport: 8000\n")


def without_a_dockerfile(folder: Path) -> None:
    (folder / "server" / "Dockerfile").unlink()


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (too_large, "the files are 1.1 GB, and a Space takes 1; the largest is data.csv"),
        (with_a_token, "server/settings.py has what looks like a token of the Hub in line 2"),
        (with_a_link, "passwords is a link to /etc/passwd"),
        (of_another_kind, "README.md says 'sdk: gradio'"),
        (without_an_app, "openenv.yaml needs the app"),
        (without_a_dockerfile, "has no Dockerfile, neither Dockerfile nor server/Dockerfile"),
    ],
)
def test_a_folder_that_is_no_space_is_refused_before_anything_is_called(
    spoil: Callable[[Path], None], told: str, hub: WritableHub, parrot: Path
) -> None:
    spoil(parrot)
    assert re.search(told, refused(str(parrot)))
    assert hub.requests == []


@pytest.mark.parametrize(
    "options",
    [
        ["-r", "a/b/c"],
        ["--create-pr", "--secret", "A=b"],
        ["--registry", "127.0.0.1:1", "--private"],
        ["--registry", "https://ghcr.io"],
        ["-e", "=3"],
        ["--secret", "NO_SUCH_VARIABLE"],
        ["-e", "A=1", "--secret", "A=2"],
        ["--exclude", "no/such/file"],
    ],
)
def test_options_that_cannot_be_meant_are_refused(options: list[str], hub: WritableHub, parrot: Path) -> None:
    refused(str(parrot), *options)
    assert hub.requests == []


def test_a_mistake_and_a_refusal_have_their_exit_codes(hub: WritableHub, parrot: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_of_a_stranger")
    done = run("push", str(parrot))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines()[-1].startswith("openenv: the Hub does not know you")
    with_a_token(parrot)
    done = run("push", str(parrot))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[-1].startswith("openenv: server/settings.py has what looks like a token")
    assert "Traceback" not in done.stderr
    assert "a1a1" not in done.stderr

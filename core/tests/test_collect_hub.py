"""`openenv collect --push-to-hub`: what was collected is on the Hub, and what cannot be pushed is told before it is played."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from commanding import run
from guessing import Guessing
from hub_writes import READ_ONLY, WritableHub, logged_in_hub
from huggingface_hub import metadata_load, snapshot_download
from serving import running

from openenv.cli.main import main
from openenv.errors import PublishError
from openenv.hub.dataset import DatasetRepository
from openenv.server import create_app

SECRET = "hf_" + "a1" * 17


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with running(create_app(Guessing, env_name="guessing")) as url:
        yield url


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WritableHub]:
    with logged_in_hub(tmp_path, monkeypatch) as stand_in:
        yield stand_in


@pytest.fixture
def command(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> Callable[..., tuple[Any, str]]:
    """Returns what runs the command in this process, and gives its exit code and what it said on standard error."""

    def collect(*options: str) -> tuple[Any, str]:
        given = ("collect", "guessing", "--base-url", server, "-o", str(tmp_path / "data"), "--keep-losses", *options)
        monkeypatch.setattr(sys, "argv", ["openenv", *given])
        with pytest.raises(SystemExit) as ended:
            main()
        return ended.value.code, capsys.readouterr().err

    return collect


def test_what_was_collected_is_on_the_hub_and_grows_there(hub: WritableHub, server: str, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    options = ("collect", "guessing", "--base-url", server, "-o", str(folder), "--keep-losses")
    done = run(*options, "-n", "3", "-H", "guesses", "--private")
    assert done.returncode == 0, done.stderr
    assert f"pushed me/guesses: {hub.url}/datasets/me/guesses\n" in done.stdout
    pushed = hub.datasets["me/guesses"]
    assert (pushed.read.is_private, pushed.commits) == (True, ["3 episodes of guessing"])
    there = Path(snapshot_download("me/guesses", repo_type="dataset", local_dir=tmp_path / "there", endpoint=hub.url))
    for name in ("results.jsonl", "metadata.json"):
        assert (there / name).read_bytes() == (folder / name).read_bytes()
    front_matter = metadata_load(there / "README.md") or {}
    assert front_matter["configs"] == [{"config_name": "default", "data_files": "results.jsonl"}]
    assert {path.name for path in there.iterdir()} == {
        *("results.jsonl", "metadata.json", "README.md"),
        *(".gitattributes", ".cache"),
    }
    card = pushed.read.folder / "README.md"
    card.write_text("# My own words\n")
    again = run(*options, "-n", "4", "--push-to-hub", "me/guesses", "--commit-message", "One more")
    assert "collected 1, skipped 3" in again.stdout, again.stderr
    assert pushed.files()["results.jsonl"] == (folder / "results.jsonl").read_bytes()
    assert pushed.files()["results.jsonl"].count(b"\n") == 4
    assert (pushed.commits[-1], card.read_text(), pushed.read.is_private) == ("One more", "# My own words\n", True)


def test_a_public_data_set_is_made_private_before_anything_is_pushed(hub: WritableHub, tmp_path: Path) -> None:
    there = hub.dataset("me/guesses")
    (tmp_path / "results.jsonl").write_text("{}\n")
    repository = DatasetRepository("me/guesses", private=True)
    repository.sign_in()
    repository.push({"results.jsonl": tmp_path / "results.jsonl"}, "# Guesses\n", "First")
    assert (there.read.is_private, there.files()) == (True, {"results.jsonl": b"{}\n", "README.md": b"# Guesses\n"})
    paths = [path.rpartition("/")[2] for method, path in hub.requests if method in ("PUT", "POST")]
    assert paths.index("settings") < paths.index("main")


def of_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_TOKEN")


def of_a_stranger(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_of_a_stranger")


def unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:1")


def without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)


def nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """All is as it should be."""


@pytest.mark.parametrize(
    ("arrange", "options", "code", "told"),
    [
        (of_nobody, ["-H", "guesses"], 1, "does not know you: hf auth login, or set HF_TOKEN"),
        (of_a_stranger, ["-H", "guesses"], 1, "does not know you: hf auth login, or set HF_TOKEN"),
        (unreachable, ["-H", "guesses"], 1, "guesses was not pushed: no Hub answers at http://127.0.0.1:1, which"),
        (unreachable, ["-H", "guesses"], 1, "HF_ENDPOINT names"),
        (without_the_extra, ["-H", "guesses"], 2, "pip install 'openenv-core[hub]'"),
        (nothing, ["-H", "a/b/c"], 2, "'a/b/c' is no name of a data set"),
        (nothing, ["--private"], 2, "add --push-to-hub OWNER/NAME"),
        (nothing, ["--commit-message", "Mine"], 2, "add --push-to-hub OWNER/NAME"),
    ],
)
def test_what_cannot_be_pushed_is_told_in_one_line_before_anything_is_played(
    arrange: Callable[[pytest.MonkeyPatch], None],
    options: list[str],
    code: int,
    told: str,
    hub: WritableHub,
    tmp_path: Path,
    command: Callable[..., tuple[Any, str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    arrange(monkeypatch)
    Guessing.resets.clear()
    ended, said = command(*options)
    assert (ended, said.count("\n")) == (code, 1), said
    assert told in said
    assert Guessing.resets == []
    assert not (tmp_path / "data").exists()


def test_what_the_hub_refuses_is_kept_here_and_pushed_by_the_same_command(
    hub: WritableHub, tmp_path: Path, command: Callable[..., tuple[Any, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as of_a_reader:
        of_a_reader.setenv("HF_TOKEN", READ_ONLY)
        code, said = command("-n", "2", "-H", "guesses")
    assert code == 1
    assert "your token may not write to me/guesses: choose a name of your own by --push-to-hub" in said.splitlines()[-1]
    collected = (tmp_path / "data" / "results.jsonl").read_bytes()
    Guessing.resets.clear()
    assert command("-n", "2", "-H", "guesses")[0] == 0
    assert len(Guessing.resets) == 1, "only the reset that looks at the server"
    assert hub.datasets["me/guesses"].files()["results.jsonl"] == collected


def test_a_token_among_the_episodes_is_not_pushed(hub: WritableHub, tmp_path: Path) -> None:
    results = tmp_path / "results.jsonl"
    results.write_text('{"said": ""}\n{"said": "' + SECRET + '"}\n')
    with pytest.raises(PublishError, match=r"results.jsonl has what looks like a token of the Hub in line 2") as refused:
        DatasetRepository("me/guesses").push({"results.jsonl": results}, "", "First")
    assert SECRET not in refused.value.message
    assert hub.requests == []

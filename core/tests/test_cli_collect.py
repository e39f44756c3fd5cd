"""`openenv collect`: whole episodes are kept, nothing that failed is a result, and a collection goes on where it stopped."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from commanding import COMMAND, run, surroundings
from guessing import Guessing
from model_server import Model, serving_model
from serving import running, wait_until
from toolboxes import Kit

from openenv.cli.main import main
from openenv.errors import ModelUnavailable
from openenv.rollout.collecting import (
    CollectionSettings,
    DatasetFolder,
    Episode,
    EpisodePlan,
    ScriptedPolicy,
    ServedEnvironment,
    collect,
)
from openenv.server import create_app
from openenv.testing.scripted import FirstLegal

PUBLISHED_FIELDS = (
    *("episode_id", "messages", "reward", "done", "tool_trace", "metrics", "verify_metrics", "artifacts", "task", "extra"),
)
"""What the published command writes of an episode, as it was seen to."""
PUBLISHED_METADATA = (
    *("env", "env_base_url", "provider", "model", "llm_endpoint", "llm_port", "num_episodes_requested", "temperature"),
    "keep_losses",
)
KEY = "sk-a-key-that-nobody-may-see"


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with running(create_app(Guessing, env_name="guessing")) as url:
        yield url


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "API_KEY"):
        monkeypatch.delenv(name, raising=False)
    Guessing.failures.clear()
    Guessing.resets.clear()
    Guessing.turn.set()


def rows(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "results.jsonl").read_text().splitlines()]


def played(server: str, folder: Path, episodes: int, **settings: Any) -> Any:
    """Collect in this process, by the script."""
    environment = ServedEnvironment.at(server, "guessing")
    plan = EpisodePlan("guessing", "scripted", None, None, max_turns=9, timeout_s=30)
    told: list[str] = []
    with DatasetFolder.opened(folder, {"seed": 1, "collected_with": "these tests"}) as dataset:
        chosen = CollectionSettings(episodes, 1, **{"keep_losses": True, "pause_s": 0.01, **settings})
        return collect(environment, ScriptedPolicy(FirstLegal()), dataset, plan, chosen, told.append), told


def test_a_scripted_collection_keeps_what_was_played_and_is_the_same_for_the_same_seed(server: str, tmp_path: Path) -> None:
    for name in ("one", "two"):
        options = ("-o", str(tmp_path / name), "-n", "6", "--seed", "5", "--keep-losses")
        done = run("collect", "guessing:small", "--base-url", server, *options)
        assert done.returncode == 0, done.stderr
        assert "collected 6, skipped 0, dropped 0, failed 0" in done.stdout
        assert "ep-000005: reward " in done.stderr
    one, two = rows(tmp_path / "one"), rows(tmp_path / "two")
    assert one == two
    assert len({row["seed"] for row in one}) == 6
    assert len({row["reward"] for row in one}) > 1
    for number, row in enumerate(one):
        assert row.keys() >= set(PUBLISHED_FIELDS)
        assert row["episode_id"] == row["artifacts"]["final_state"]["episode_id"] == f"ep-{number:06d}"
        given = [entry["result"]["data"] for entry in row["tool_trace"]]
        assert row["reward"] == sum(data["reward"] for data in given)
        assert (row["done"], row["ended_by"], row["metrics"]["turns"]) == (True, "environment", 2)
        assert [message["role"] for message in row["messages"]] == ["user", *["assistant", "tool"] * 2]
        first = json.loads(row["messages"][0]["content"])["observation"]["legal_actions"][0]
        assert row["tool_trace"][0]["arguments"] == {"number": first}
    metadata = json.loads((tmp_path / "one" / "metadata.json").read_text())
    assert metadata.keys() >= set(PUBLISHED_METADATA)
    assert metadata["seed"] == 5


def test_losses_are_dropped_once_and_for_all(server: str, tmp_path: Path) -> None:
    everything = tmp_path / "everything"
    played(server, everything, 6)
    won = [row["episode_id"] for row in rows(everything) if row["reward"] >= 0]
    assert 0 < len(won) < 6
    done, _ = played(server, tmp_path / "won", 6, keep_losses=False)
    assert [row["episode_id"] for row in rows(tmp_path / "won")] == won
    assert (done.collected, done.dropped) == (len(won), 6 - len(won))
    Guessing.resets.clear()
    done, _ = played(server, tmp_path / "won", 6, keep_losses=False)
    assert (done.skipped, len(Guessing.resets)) == (6, 1), "only the reset that looks at the server"


def test_what_failed_is_played_again_and_never_a_result(server: str, tmp_path: Path) -> None:
    Guessing.failures.extend([RuntimeError("the board is broken")] * 4)
    done, told = played(server, tmp_path, 3, tries=3)
    assert (done.collected, done.failed, done.failed_tries) == (2, 1, 4)
    assert [row["episode_id"] for row in rows(tmp_path)] == ["ep-000001", "ep-000002"]
    assert "ep-000000: failed, try 3 of 3" in told[2]
    assert Guessing.resets[1] == Guessing.resets[2] == Guessing.resets[3] != Guessing.resets[4]
    done, _ = played(server, tmp_path, 3)
    assert (done.collected, done.skipped, done.failed) == (1, 2, 0)
    assert sorted(row["episode_id"] for row in rows(tmp_path)) == ["ep-000000", "ep-000001", "ep-000002"]


def test_a_collection_gives_up_when_all_fails(server: str, tmp_path: Path) -> None:
    Guessing.failures.extend([RuntimeError("the board is broken")] * 100)
    done = run("collect", "guessing", "--base-url", server, "-o", str(tmp_path), "-n", "50", "--tries", "1")
    assert done.returncode == 1
    assert "gave up, for 3 episodes in a row failed" in done.stderr
    assert len(Guessing.failures) == 97
    assert not (tmp_path / "results.jsonl").exists()


def test_a_killed_collection_goes_on_without_loss_or_doubling(server: str, tmp_path: Path) -> None:
    command = ("collect", "guessing:large", "--base-url", server, "-o", str(tmp_path), "-n", "12", "--keep-losses")
    process = subprocess.Popen([*COMMAND, *command], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL, env=surroundings())
    results = tmp_path / "results.jsonl"
    wait_until(lambda: results.exists() and results.read_bytes().count(b"\n") >= 3, 60)
    Guessing.turn.clear()
    process.send_signal(signal.SIGKILL)
    process.wait()
    Guessing.turn.set()
    before = rows(tmp_path)
    with results.open("ab") as book:
        book.write(b'{"episode_id":"ep-000011","rew')  # what a kill within a write, or a power cut, leaves
    done = run(*command)
    assert done.returncode == 0, done.stderr
    after = rows(tmp_path)
    assert after[: len(before)] == before
    assert [row["episode_id"] for row in after] == [f"ep-{number:06d}" for number in range(12)]
    again = run(*command[:-2], "14", "--keep-losses")
    assert "collected 2, skipped 12" in again.stdout


def test_a_folder_of_other_options_is_refused_or_moved_aside(server: str, tmp_path: Path) -> None:
    command = ("collect", "guessing", "--base-url", server, "-o", str(tmp_path), "-n", "2", "--keep-losses")
    assert run(*command, "--seed", "1").returncode == 0
    before = (tmp_path / "results.jsonl").read_bytes()
    other = run(*command, "--seed", "2", "--max-turns", "3")
    assert other.returncode == 2
    assert other.stderr.count("\n") == 1
    assert "max_turns 9, not 3, seed 1, not 2" in other.stderr
    assert (tmp_path / "results.jsonl").read_bytes() == before
    anew = run(*command, "--seed", "2", "--no-resume")
    assert anew.returncode == 0, anew.stderr
    assert rows(tmp_path)[0]["seed"] != json.loads(before.splitlines()[0])["seed"]
    assert [file.read_bytes() for file in tmp_path.glob("results.*.bak.jsonl")] == [before]


@pytest.mark.skipif(os.name == "nt", reason="nothing keeps a second process out there")
def test_two_collections_do_not_write_into_one_folder(server: str, tmp_path: Path) -> None:
    with DatasetFolder.opened(tmp_path, {"collected_with": "these tests"}):
        done = run("collect", "guessing", "--base-url", server, "-o", str(tmp_path))
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "being written by another collection" in done.stderr


@pytest.mark.parametrize(("provider", "variable"), [("openai", "OPENAI_API_KEY"), ("anthropic", "ANTHROPIC_API_KEY")])
def test_a_model_plays_by_tools_in_both_formats(
    provider: str, variable: str, server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, KEY)

    def say(text: str) -> Any:
        if text.startswith("refused"):
            return "I give up."
        legal = json.loads(text)["observation"]["legal_actions"]
        return "act", {"number": legal[0]} if len(model.requests) == 2 else {"number": 77}

    model = Model(say=say, failures=[500])
    with serving_model(model) as port:
        options = ("--model", "m", "--llm-endpoint", "http://127.0.0.1", "--llm-port", str(port), "--system-prompt", "Play.")
        kept = ("-o", str(tmp_path), "-n", "1", "--keep-losses", "--temperature", "0.5", "--max-tokens", "99")
        done = run("collect", "guessing", "--base-url", server, "--provider", provider, *options, *kept)
    assert done.returncode == 0, done.stderr
    (row,) = rows(tmp_path)
    speaks = "anthropic" if provider == "anthropic" else "openai"
    assert (row["provider"], row["model"], row["ended_by"]) == (f"{speaks}-compatible", "m", "policy")
    assert (row["done"], row["terminated"], row["truncated"], row["metrics"]["refused"]) == (False, False, True, 1)
    assert row["prompt"][0] == {"role": "system", "content": "Play."}
    assert "refused: 77 is not among" in row["messages"][-2]["content"]
    assert row["messages"][-1] == {"role": "assistant", "content": "I give up."}
    assert {request["key"] for request in model.requests} == {KEY}
    asked = model.requests[-1]
    assert (asked["temperature"], asked["max_tokens"], len(asked["tools"])) == (0.5, 99, 1)
    assert "Play." in (asked["system"] if speaks == "anthropic" else asked["messages"][0]["content"])
    written = "".join(file.read_text() for file in tmp_path.iterdir())
    assert KEY not in written + done.stdout + done.stderr


def test_a_key_that_a_model_repeats_is_not_told(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "not now")  # the words with which the model server fails
    with serving_model(Model(failures=[401] * 9)) as port:
        options = ("--provider", "openai", "--model", "m", "--llm-endpoint", f"http://127.0.0.1:{port}")
        done = run("collect", "guessing", "--base-url", server, "-o", str(tmp_path), *options)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "m refused: " in done.stderr
    assert "***" in done.stderr
    assert "not now" not in done.stderr


def test_tools_of_an_environment_are_called(tmp_path: Path) -> None:
    with running(create_app(Kit)) as url:
        environment = ServedEnvironment.at(url, "kit")
        assert {"add", "count", "act"} <= {tool.name for tool in environment.tools}
        plan = EpisodePlan("kit", "scripted", None, None, max_turns=1, timeout_s=30)
        policy = ScriptedPolicy(lambda observation, tools, chance: ("add", {"a": 2, "b": 3}))
        with pytest.raises(Exception, match="there is no reward after 1 of at most 1 turns"):
            plan.play(environment, policy, "ep", 1)


def test_a_model_that_is_gone_for_a_while_costs_tries_alone(server: str, tmp_path: Path) -> None:
    script, gone = FirstLegal(), [ModelUnavailable("not now", retry_after_s=0.01)] * 2

    def choose(observation: dict[str, Any], tools: list[Any], chance: Random) -> Any:
        if gone:
            raise gone.pop()
        return script(observation, tools, chance)

    environment = ServedEnvironment.at(server, "GuessingEnvironment")
    plan = EpisodePlan("guessing", "scripted", None, None, max_turns=9, timeout_s=30)
    with DatasetFolder.opened(tmp_path, {"collected_with": "these tests"}) as dataset:
        settings = CollectionSettings(1, 1, keep_losses=True)
        done = collect(environment, ScriptedPolicy(choose), dataset, plan, settings)
    assert (done.collected, done.failed_tries, len(rows(tmp_path))) == (1, 2, 1)


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["guessing", "--base-url", "http://127.0.0.1:9"], 1, "no environment's server answers at http://127.0.0.1:9"),
        (["chess"], 2, "serves guessing, not chess"),
        (["guessing:huge"], 2, "there is no game huge"),
        (["guessing", "--reset", '{"board": 3}'], 2, "does not take board"),
        (["guessing", "--dataset-config", "["], 2, "--dataset-config is not JSON"),
        (["guessing", "--provider", "openai"], 2, "--model is missing"),
        (["guessing", "--provider", "anthropic", "--model", "m"], 2, "set ANTHROPIC_API_KEY or API_KEY"),
        (["guessing", "--model", "m", "--llm-endpoint", "nowhere"], 2, "--llm-endpoint: invalid endpoint URL"),
    ],
)
def test_a_mistake_is_told_in_one_line(
    arguments: list[str],
    code: int,
    told: str,
    server: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    where = [] if "--base-url" in arguments else ["--base-url", server]
    monkeypatch.setattr(sys, "argv", ["openenv", "collect", *arguments, *where, "-o", str(tmp_path / "new")])
    with pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr().err
    assert (ended.value.code, said.count("\n")) == (code, 1), said
    assert told in said
    assert not (tmp_path / "new").exists()


def test_a_missing_extra_is_told_in_one_line(server: str, tmp_path: Path) -> None:
    (tmp_path / "openai.py").write_text("raise ImportError")
    options = ("--model", "m", "--llm-endpoint", "http://127.0.0.1:9", "-o", str(tmp_path / "new"))
    done = run("collect", "guessing", "--base-url", server, *options, cwd=tmp_path)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "pip install 'openenv-core[llm]'" in done.stderr


def test_an_episode_is_one_line_whatever_is_in_it() -> None:
    said = [{"role": "user", "content": "a\nb\u2028c"}]
    rest: Any = {"verify_metrics": {}, "artifacts": {"x": float("nan")}, "prompt": [], "seed": None}
    ends: Any = {"terminated": None, "truncated": None, "ended_by": "environment"}
    who: Any = {"env": "e", "provider": "scripted", "model": None}
    line = Episode("ep", said, 1.0, True, [], {}, **rest, **ends, **who).line()
    assert (line.count(b"\n"), line[-1:]) == (1, b"\n")
    assert json.loads(line)["messages"] == said

"""Environments are found by name, whatever the spelling, and a missing one says how to get it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from serving import running

import openenv
from echo_env import EchoAction, EchoEnv, EchoObservation
from echo_env.server.environment import EchoEnvironment
from openenv.auto import AutoAction, AutoEnv
from openenv.auto.auto_env import get_discovery
from openenv.errors import UsageError
from openenv.hub.installed import installed_environments
from openenv.server import create_app


def install(folder: Path, distribution: str, entry: str, package: str, code: str) -> None:
    """Install a distribution of one package with one entry point, as installers do."""
    (folder / f"{package}.py").write_text(code)
    info = folder / f"{distribution.replace('-', '_')}-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.2\nSummary: Made up.\n")
    (info / "entry_points.txt").write_text(f"[openenv.environments]\n{entry} = {package}\n")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of installed distributions: this package's echo environment, and a broken one."""
    monkeypatch.syspath_prepend(str(tmp_path))
    install(tmp_path, "openenv-made-up-env", "made_up", "made_up_env", "import no_such_package_at_all")
    install(tmp_path, "openenv-other-echo", "echoes", "echoes_env", "from echo_env import EchoAction, EchoEnv")
    return tmp_path


@pytest.mark.parametrize("name", ["echo", "Echo", "echo-env", "echo_env", "openenv-echo-env", "OpenEnv_Echo", " echo "])
def test_every_spelling_finds_it(name: str) -> None:
    assert AutoEnv.get_env_class(name) is EchoEnv
    assert AutoAction.from_env(name) is EchoAction


def test_what_is_known_of_one() -> None:
    info = AutoEnv.get_env_info("echo")
    assert (info["env_key"], info["name"], info["package"]) == ("echo", "echo_env", "openenv-echo-env")
    assert (info["env_class"], info["action_class"], info["observation_class"]) == ("EchoEnv", "EchoAction", "EchoObservation")
    assert info["server"] == EchoEnv.server
    assert info["version"]
    assert info["description"]
    assert AutoAction.get_action_info("echo")["schema"] == EchoAction.model_json_schema()
    found = get_discovery().discover()["echo"]
    assert (found.client_class, found.observation_class) == (EchoEnv, EchoObservation)
    assert get_discovery().get_environment_by_name("no-such-thing") is None


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("ecko", r"no environment 'ecko' is installed \(did you mean echo\?\): pip install openenv-ecko-env"),
        ("Tic_Tac_Env", r"installed are .*echo.*\): pip install openenv-tic-tac-env"),
    ],
)
def test_a_missing_one_says_how_to_install_it(name: str, told: str) -> None:
    for find in (AutoEnv.from_env, AutoEnv.get_env_info, AutoAction.from_env):
        with pytest.raises(UsageError, match=told):
            find(name)


def test_a_broken_package_is_listed_and_named_when_used(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "made_up" in [one.name for one in installed_environments()]
    AutoEnv.list_environments()
    assert ["made_up", "1.2", "openenv-made-up-env", "Made", "up."] in [
        line.split() for line in capsys.readouterr().out.splitlines()
    ]
    with pytest.raises(UsageError, match=r"made_up_env cannot be imported .*no_such_package_at_all"):
        AutoEnv.from_env("made-up")
    AutoAction.list_actions()
    printed = capsys.readouterr().out
    assert "echo: EchoAction" in printed
    assert "made_up: made_up_env cannot be imported" in printed
    assert "no_such_package_at_all" not in sys.modules


def test_a_package_without_a_client_of_its_own_says_so(site: Path) -> None:
    with pytest.raises(UsageError, match="echoes_env of openenv-other-echo offers no subclass of EnvClient"):
        AutoEnv.get_env_class("echoes")


def test_two_distributions_of_one_name_are_not_guessed_between(site: Path) -> None:
    install(site, "someones-echoes", "echoes-env", "someones_echoes", "")
    with pytest.raises(UsageError, match="echoes of openenv-other-echo, echoes-env of someones-echoes"):
        AutoEnv.get_env_class("echoes")


def test_it_plays_at_a_server_that_runs() -> None:
    with running(create_app(EchoEnvironment, env_name="echo")) as url:
        with AutoEnv.from_env("echo", base_url=url).sync() as env:
            assert isinstance(env.async_client, EchoEnv)
            env.reset()
            assert env.step(AutoAction.from_env("echo")(message="hello")).observation.echoed_message == "hello"
        with AutoEnv.from_hub("nobody-has-it", base_url=url, skip_install=True).sync() as generic:
            generic.reset()
            action: Any = AutoAction.from_hub("nobody-has-it", skip_install=True)(message="hi")
            assert generic.step(action).observation["echoed_message"] == "hi"


def test_it_starts_a_process_where_nothing_else_is_asked_for() -> None:
    with AutoEnv.from_env("echo").sync() as env:
        env.reset()
        assert env.step(EchoAction(message="here")).observation.echoed_message == "here"


def test_the_top_of_the_package_has_them_too() -> None:
    assert (openenv.AutoEnv, openenv.AutoAction) == (AutoEnv, AutoAction)
    for factory in (AutoEnv, AutoAction):
        with pytest.raises(TypeError, match="no instances"):
            factory()

"""`openenv init --from-gymnasium` writes models of an environment's spaces, and a folder that plays it."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import mirrors
import numpy as np
import pytest
from commanding import run, started
from generated import own_tests

from openenv import GenericEnvClient
from openenv.adapters.gymnasium import sampled_actions
from openenv.adapters.gymnasium_facts import DRIVERS
from openenv.adapters.gymnasium_folder import gymnasium_folder
from openenv.adapters.gymnasium_models import models_source
from openenv.adapters.gymnasium_spaces import models_of, typed
from openenv.cli.init import init
from openenv.errors import UsageError
from openenv.testing.schema_values import examples, legal

TESTS = Path(__file__).parent


def module_of(source: str, at: Path) -> ModuleType:
    at.write_text(source)
    spec = importlib.util.spec_from_file_location(at.stem, at)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[at.stem] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def shape(schema: Any) -> Any:
    """Return a schema without what is said for people."""
    if isinstance(schema, dict):
        return {key: shape(value) for key, value in schema.items() if key not in ("description", "title")}
    return [shape(value) for value in schema] if isinstance(schema, list) else schema


def test_the_written_models_are_those_that_the_adapter_makes(tmp_path: Path) -> None:
    space = mirrors.EVERY_KIND
    written = module_of(models_source(space, space, "Mirror", "Mirror-v0"), tmp_path / "written_models.py")
    made = dict(zip(("MirrorAction", "MirrorObservation"), models_of(space, space, "Mirror"), strict=True))
    for name, model in made.items():
        assert shape(getattr(written, name).model_json_schema()) == shape(model.model_json_schema())
    values = examples(legal(written.MirrorAction.model_json_schema()), 30)
    assert len(values) > 10
    native = typed(space, "Mirror").to_gymnasium
    assert all(space.contains(native(written.MirrorAction.model_validate(value).action)) for value in values)
    outside = sampled_actions(mirrors.Mirror(), 1)[0]["action"]
    for changed in (
        {"grid": [[1, 2], [3, 5]]},
        {"limits": [0.0, 0.0]},
        {"share": 1.5},
        {"inner": {**outside["inner"], "word": "é"}},
    ):
        with pytest.raises(ValueError, match=r"expected|less than|match pattern"):
            written.MirrorAction(action={**outside, **changed})


def test_a_module_is_imported_and_arguments_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(TESTS))
    folder, facts = gymnasium_folder("looking glass", tmp_path, "mirrors:Mirror", {"worth": 2.5})
    assert (facts.name, facts.of_nobody, facts.seen_rewards) == ("mirrors:Mirror-v0", ["mirrors"], (2.5, 2.5))
    assert facts.notes == [
        "Using the latest versioned environment `Mirror-v0` instead of the unversioned environment `Mirror`."
    ]
    readme = (folder / "README.md").read_text()
    assert 'gymnasium.make("mirrors:Mirror-v0", worth=2.5)' in readme
    assert "grid: int64[2, 2] from 0 to [1, 2, 3, 4]" in readme
    with GenericEnvClient.from_process(str(folder)).sync() as env:
        seen = env.reset(seed=4).observation
        own = mirrors.Mirror()
        assert np.array_equal(seen["pixels"], own.reset(seed=4)[0]["pixels"])
        action = sampled_actions(own, 1)[0]
        result = env.step(action)
        assert (result.reward, result.truncated, result.metadata) == (2.5, True, {"count": 3})
        assert np.asarray(result.observation["grid"]).tolist() == action["action"]["grid"]


def has_box2d() -> bool:
    return importlib.util.find_spec("Box2D") is not None


@pytest.mark.parametrize(
    ("env_id", "arguments", "told"),
    [
        ("CartPol-v1", {}, "Did you mean: `CartPole`"),
        ("CartPole-v99", {}, r"It provides versioned environments: \[ `v0`, `v1` \]"),
        ("nowhere/Game-v0", {}, "Have you installed the proper package for nowhere"),
        ("!", {}, "Malformed environment ID"),
        ("no_such_module:Game-v0", {}, "install the package that brings no_such_module"),
        pytest.param(
            "LunarLander-v3",
            {},
            r"pip install \"gymnasium\[box2d\]\"",
            marks=pytest.mark.skipif(has_box2d(), reason="Box2D is installed"),
        ),
        ("CartPole-v1", {"gravity": 1}, r"cannot be made with \{'gravity': 1\}.*--env-kwargs"),
        ("CartPole-v1", {"render_mode": "oil"}, "has no render_mode 'oil': choose human or rgb_array"),
        ("CartPole-v1", {"a b": 1}, "named as Python's"),
        ("mirrors:Endless-v0", {}, "Sequence is a space without a typed field: wrap the environment"),
        ("mirrors:Lying-v0", {}, "does not play: .*pick"),
    ],
)
def test_what_cannot_be_wrapped_is_told_in_one_line(env_id: str, arguments: dict[str, Any], told: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=told) as refused:
        gymnasium_folder("my game", tmp_path, env_id, arguments)
    assert "\n" not in refused.value.message
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"from_gymnasium": "CartPole-v1", "template": "tools"}, "leave --template out"),
        ({"from_gymnasium": "CartPole-v1", "env_kwargs": "gravity=1"}, "--env-kwargs is no JSON"),
        ({"from_gymnasium": "CartPole-v1", "env_kwargs": "[1]"}, "--env-kwargs is an object"),
        ({"env_kwargs": "{}"}, "name it by --from-gymnasium"),
    ],
)
def test_options_that_do_not_go_together_are_told(options: dict[str, str], told: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=told):
        init("my_game", tmp_path, **options)
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_id_is_told_without_a_traceback(tmp_path: Path) -> None:
    done = run("init", "my_game", "-o", str(tmp_path), "--from-gymnasium", "CartPol-v1")
    assert (done.returncode, done.stdout) == (2, "")
    told = "Environment `CartPol` doesn't exist. Did you mean: `CartPole`?"
    assert done.stderr == f"openenv: Gymnasium has no CartPol-v1: {told}\n"


def test_a_machine_without_a_screen_is_not_remarked_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("XDG_RUNTIME_DIR", "WAYLAND_DISPLAY", "DISPLAY", *DRIVERS):
        monkeypatch.delenv(name, raising=False)
    done = run("init", "pole", "-o", str(tmp_path), "--from-gymnasium", "CartPole-v1")
    assert (done.returncode, done.stderr) == (0, "")
    with started(str(tmp_path / "pole")) as (server, url):
        with GenericEnvClient(base_url=url).sync() as env:
            env.reset()
            assert "image/png" in env.render()
        server.terminate()
        assert server.communicate(timeout=60)[1] == ""


def test_without_gymnasium_it_is_told_which_extra_to_install(tmp_path: Path) -> None:
    (tmp_path / "gymnasium.py").write_text("raise ImportError(\"No module named 'gymnasium'\")\n")
    done = run("init", "my_game", "--from-gymnasium", "CartPole-v1", cwd=tmp_path)
    assert done.returncode == 2
    assert (
        done.stderr == "openenv: No module named 'gymnasium': Gymnasium's environments need `pip install 'openenv-core[gym]'`\n"
    )


@pytest.mark.long
def test_environments_of_several_kinds_are_wrapped(tmp_path: Path) -> None:
    for env_id in ("Acrobot-v1", "Blackjack-v1", "CliffWalking-v1", "FrozenLake-v1", "MountainCarContinuous-v0", "Pendulum-v1"):
        folder, facts = gymnasium_folder(env_id.split("-")[0], tmp_path, env_id, {})
        assert facts.name == env_id
        own_tests(folder)
